"""The role of the endpoint: fetch image and bundle, write what is logged and captured."""

from aws_cdk import ArnFormat, Stack, aws_iam
from constructs import Construct

from deploy.names import (
    CANDIDATE_VARIANT,
    ENDPOINT,
    PRODUCTION_VARIANT,
    SHADOW_VARIANT,
    guardrail_alarms,
)
from deploy.stacks.artifacts import MODELS
from deploy.stacks.foundation import Foundation
from deploy.stacks.permissions import (
    allow,
    allow_image_pull,
    allow_key,
    allow_network_interfaces,
)

CAPTURED = "capture"
"""Prefix in the decisions' bucket of what the endpoint was asked and answered."""
VARIANTS = (PRODUCTION_VARIANT, CANDIDATE_VARIANT, SHADOW_VARIANT)


def model_role(scope: Construct, foundation: Foundation) -> aws_iam.Role:
    """Return the role under which the endpoint's instances run."""
    artifacts, store = foundation.artifacts, foundation.store
    role = aws_iam.Role(
        scope,
        "Role",
        role_name="roadside-model",
        assumed_by=aws_iam.ServicePrincipal(
            "sagemaker.amazonaws.com",
            conditions={"StringEquals": {"aws:SourceAccount": Stack.of(scope).account}},
        ),
        description="Runs the ranking model behind its endpoint",
    )
    allow_image_pull(role, artifacts.endpoint_images.repository_arn)
    allow(role, ("s3:GetObject",), f"{artifacts.bucket.bucket_arn}/{MODELS}/*")
    allow_key(role, artifacts.key)
    allow(role, ("s3:PutObject",), f"{store.offline.decisions.bucket_arn}/{CAPTURED}/*")
    allow_key(role, store.key)
    allow(
        role,
        ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"),
        _arn(scope, "logs", "log-group", f"/aws/sagemaker/Endpoints/{ENDPOINT}:*"),
    )
    allow_network_interfaces(role)
    # Without it SageMaker does not see the alarms of a guarded change, and rolls nothing back.
    alarms = [name for variant in VARIANTS for name in guardrail_alarms(variant)]
    allow(
        role,
        ("cloudwatch:DescribeAlarms",),
        *(_arn(scope, "cloudwatch", "alarm", name) for name in alarms),
    )
    return role


def _arn(scope: Construct, service: str, kind: str, name: str) -> str:
    return Stack.of(scope).format_arn(
        service=service,
        resource=kind,
        resource_name=name,
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )
