import json
from collections.abc import Iterator

import pytest

from tests.deploy.stacks.templates import Properties, Templates

FOR_EVERY_RESOURCE = {
    "ec2:DescribeDhcpOptions": "EC2's descriptions know no resources",
    "ec2:DescribeNetworkInterfaces": "EC2's descriptions know no resources",
    "ec2:DescribeSecurityGroups": "EC2's descriptions know no resources",
    "ec2:DescribeSubnets": "EC2's descriptions know no resources",
    "ec2:DescribeVpcs": "EC2's descriptions know no resources",
    "ecr:GetAuthorizationToken": "the token is the account's, not a repository's",
}
"""Actions that may be granted for all resources, and why."""

KEYED = {
    "AWS::ECR::Repository": "EncryptionConfiguration",
    "AWS::ElastiCache::ReplicationGroup": "KmsKeyId",
    "AWS::Kinesis::Stream": "StreamEncryption",
    "AWS::SageMaker::EndpointConfig": "KmsKeyId",
    "AWS::SecretsManager::Secret": "KmsKeyId",
}
"""What holds data, and its property that names a key of ours."""

_POLICIES = ("AWS::IAM::Policy", "AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy")


def _allowed(templates: Templates) -> Iterator[tuple[str, Properties]]:
    for kind in _POLICIES:
        for where, statement in templates.statements(kind):
            if statement["Effect"] == "Allow":
                yield where, statement


def test_no_action_is_a_wildcard(templates: Templates) -> None:
    """Every policy names its actions one by one."""
    wild = [
        (where, action)
        for where, statement in _allowed(templates)
        for action in statement["Action"]
        if "*" in action
    ]
    assert wild == []


def test_policies_stand_alone(templates: Templates) -> None:
    """No role has a policy that somebody else writes, or one that this test does not see."""
    for where, role in templates.named("AWS::IAM::Role"):
        assert not role.get("ManagedPolicyArns"), where
        for policy in role.get("Policies", []):
            assert "*" not in json.dumps(policy["PolicyDocument"]), where


def test_nothing_is_granted_for_all_resources_without_need(templates: Templates) -> None:
    """Only actions that know no resources are granted for all of them."""
    for where, statement in _allowed(templates):
        if "*" in statement["Resource"]:
            unexplained = set(statement["Action"]) - FOR_EVERY_RESOURCE.keys()
            assert not unexplained, where


@pytest.mark.parametrize("kind", KEYED)
def test_what_holds_data_is_encrypted_with_a_key_of_ours(templates: Templates, kind: str) -> None:
    """Each resource that holds data names a key that is made here."""
    resources = list(templates.named(kind))
    assert resources
    for where, properties in resources:
        key = json.dumps(properties[KEYED[kind]])
        assert "Key" in key and ("Fn::GetAtt" in key or "Fn::ImportValue" in key), where


def test_every_key_rotates(templates: Templates) -> None:
    """Keys are made anew every year by AWS."""
    keys = list(templates.named("AWS::KMS::Key"))
    assert keys
    assert all(key["EnableKeyRotation"] is True for _, key in keys)


def test_buckets_are_private_versioned_and_encrypted(templates: Templates) -> None:
    """No bucket can be made public; all keep old versions and encrypt by themselves.

    With a key of ours, but for access logs, which AWS delivers to no such bucket.
    """
    buckets = list(templates.named("AWS::S3::Bucket"))
    assert buckets
    for where, bucket in buckets:
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}, where
        assert bucket["VersioningConfiguration"]["Status"] == "Enabled", where
        (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        algorithm = rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"]
        assert algorithm == ("AES256" if "AccessLogs" in where else "aws:kms"), where


def test_buckets_speak_tls_only(templates: Templates) -> None:
    """Every bucket has a policy that denies what comes without TLS."""
    denying = [
        where
        for where, statement in templates.statements("AWS::S3::BucketPolicy")
        if statement["Effect"] == "Deny"
        and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    ]
    assert len(denying) == len(templates.resources("AWS::S3::Bucket"))


def test_the_store_is_encrypted_on_the_wire(templates: Templates) -> None:
    """Rows travel by TLS only."""
    (store,) = templates.resources("AWS::ElastiCache::ReplicationGroup")
    assert store["TransitEncryptionEnabled"] is store["AtRestEncryptionEnabled"] is True


def test_no_way_leads_to_the_internet(templates: Templates) -> None:
    """There is no gateway to the internet, and no subnet gives public addresses."""
    for kind in ("InternetGateway", "NatGateway", "EIP"):
        assert templates.resources(f"AWS::EC2::{kind}") == []
    subnets = templates.resources("AWS::EC2::Subnet")
    assert len(subnets) == 3
    assert len({json.dumps(subnet["AvailabilityZone"]) for subnet in subnets}) == 3
    assert not any(subnet["MapPublicIpOnLaunch"] for subnet in subnets)


def test_security_groups_let_in_whom_they_name(templates: Templates) -> None:
    """Nobody is let in by an address but the clients; everybody else by their group."""
    rules = [
        rule
        for group in templates.resources("AWS::EC2::SecurityGroup")
        for rule in group.get("SecurityGroupIngress", [])
    ]
    assert [rule["CidrIp"] for rule in rules] == [{"Ref": "ClientCidr"}]
    between = templates.resources("AWS::EC2::SecurityGroupIngress")
    assert between
    assert all("SourceSecurityGroupId" in rule and "CidrIp" not in rule for rule in between)


def test_interface_endpoints_stand_in_every_zone(templates: Templates) -> None:
    """A service of AWS is reached in one's own zone, so that losing another one changes nothing."""
    endpoints = templates.resources("AWS::EC2::VPCEndpoint")
    interfaces = [e for e in endpoints if e["VpcEndpointType"] == "Interface"]
    assert all(len(endpoint["SubnetIds"]) == 3 for endpoint in interfaces)
    assert [e["VpcEndpointType"] for e in endpoints if e not in interfaces] == ["Gateway"]
