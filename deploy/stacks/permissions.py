"""How roles get what they may do: named actions on named resources, one statement a purpose."""

from collections.abc import Iterable

from aws_cdk import Stack, aws_iam, aws_kms

USE_KEY = ("kms:Decrypt", "kms:GenerateDataKey")

_DESCRIBE_NETWORK = (
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
)


def allow(role: aws_iam.Role, actions: Iterable[str], *resources: str) -> None:
    """Let a role do some actions on some resources, given by ARN."""
    role.add_to_policy(aws_iam.PolicyStatement(actions=list(actions), resources=list(resources)))


def allow_key(role: aws_iam.Role, key: aws_kms.IKey) -> None:
    """Let a role read and write what a key encrypts."""
    allow(role, USE_KEY, key.key_arn)


def allow_image_pull(role: aws_iam.Role, repository_arn: str) -> None:
    """Let a role pull the images of one repository."""
    # The token is the account's, not a repository's: ECR knows no resource for it.
    allow(role, ("ecr:GetAuthorizationToken",), "*")
    allow(
        role,
        ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"),
        repository_arn,
    )


def allow_network_interfaces(role: aws_iam.Role) -> None:
    """Let a service put what runs under a role into the VPC; without this it does not start."""
    # EC2's descriptions know no resources: they are granted for all or not at all.
    allow(role, _DESCRIBE_NETWORK, "*")
    stack = Stack.of(role)
    place = f"arn:{stack.partition}:ec2:{stack.region}:{stack.account}"
    kinds = ("network-interface", "subnet", "security-group")
    allow(role, ("ec2:CreateNetworkInterface",), *(f"{place}:{kind}/*" for kind in kinds))
    allow(
        role,
        ("ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface"),
        f"{place}:network-interface/*",
    )
