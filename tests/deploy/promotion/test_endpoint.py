"""The exact form of what SageMaker is asked for: nothing else here knows blue/green changes."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from deploy.names import ENDPOINT
from deploy.promotion.endpoint import Deployment, Endpoint, Guard, Variant

ARN = "arn:aws:sagemaker:us-east-1:000000000000:endpoint/x"
RETAINED = {
    "RetainAllVariantProperties": True,
    "ExcludeRetainedVariantProperties": [
        {"VariantPropertyType": "DesiredWeight"},
        {"VariantPropertyType": "DataCaptureConfig"},
    ],
}


@pytest.fixture
def stubber() -> Iterator[Stubber]:
    """SageMaker, asked for what a test says and for nothing else."""
    client = boto3.client(
        "sagemaker", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    with Stubber(client) as stubbed:
        yield stubbed
    stubbed.assert_no_pending_responses()


def _endpoint(stubber: Stubber) -> Endpoint:
    return Endpoint(stubber.client, poll_s=0)


def _described(status: str, failure: str | None = None) -> dict[str, Any]:
    now = datetime.now(UTC)
    told = {
        "EndpointName": ENDPOINT,
        "EndpointArn": ARN,
        "EndpointConfigName": "config",
        "EndpointStatus": status,
        "CreationTime": now,
        "LastModifiedTime": now,
    }
    return told | ({"FailureReason": failure} if failure else {})


def test_a_guarded_change_is_blue_green_and_ends_at_an_alarm(stubber: Stubber) -> None:
    """All requests go to the new fleet, the old one stays until it baked, alarms bring it back."""
    stubber.add_response(
        "update_endpoint",
        {"EndpointArn": ARN},
        {
            "EndpointName": ENDPOINT,
            "EndpointConfigName": "config",
            **RETAINED,
            "DeploymentConfig": {
                "BlueGreenUpdatePolicy": {
                    "TrafficRoutingConfiguration": {
                        "Type": "ALL_AT_ONCE",
                        "WaitIntervalInSeconds": 600,
                    },
                    "TerminationWaitInSeconds": 600,
                    "MaximumExecutionTimeoutInSeconds": 3000,
                },
                "AutoRollbackConfiguration": {
                    "Alarms": [{"AlarmName": "slow"}, {"AlarmName": "wrong"}]
                },
            },
        },
    )
    _endpoint(stubber).update("config", Guard(["slow", "wrong"], 600))


def test_an_unguarded_change_says_nothing_of_alarms(stubber: Stubber) -> None:
    """The way back is open whatever alarms say."""
    asked = {"EndpointName": ENDPOINT, "EndpointConfigName": "config", **RETAINED}
    stubber.add_response("update_endpoint", {"EndpointArn": ARN}, asked)
    _endpoint(stubber).update("config", None)


def test_a_change_is_waited_for_until_it_is_over(stubber: Stubber) -> None:
    """Updating and rolling back are looked at; what SageMaker says in the end is told."""
    for status in ("Updating", "RollingBack"):
        stubber.add_response("describe_endpoint", _described(status))
    stubber.add_response("describe_endpoint", _described("InService", "an alarm"))
    seen: list[str] = []
    now = _endpoint(stubber).wait(lambda now: seen.append(now.status))
    assert seen == ["Updating", "RollingBack"]
    assert (now.status, now.failure) == ("InService", "an alarm")


def test_a_shadow_is_asked_for_beside_production(stubber: Stubber) -> None:
    """The shadow is like production, captures go where they should, and the way back is tagged."""
    variant = {
        "VariantName": "production",
        "ModelName": "first",
        "InitialInstanceCount": 6,
        "InstanceType": "ml.c5.xlarge",
        "InitialVariantWeight": 1.0,
    }
    arn = f"{ARN}-config"
    stubber.add_response(
        "describe_endpoint_config",
        {
            "EndpointConfigName": "before",
            "EndpointConfigArn": arn,
            "CreationTime": datetime.now(UTC),
            "KmsKeyId": "key",
            "ProductionVariants": [variant],
        },
    )
    stubber.add_response(
        "create_endpoint_config",
        {"EndpointConfigArn": arn},
        {
            "EndpointConfigName": "config",
            "ProductionVariants": [variant],
            "ShadowProductionVariants": [
                {**variant, "VariantName": "shadow", "ModelName": "second"}
            ],
            "KmsKeyId": "key",
            "DataCaptureConfig": {
                "EnableCapture": True,
                "InitialSamplingPercentage": 20,
                "DestinationS3Uri": "s3://captures",
                "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            },
            "Tags": [{"Key": "promotion-before", "Value": "before"}],
        },
    )
    production, shadow = Variant("production", "first"), Variant("shadow", "second")
    made = Deployment("config", (production,), shadow, "before", "s3://captures", 20)
    _endpoint(stubber).make(made, like="before")


def test_a_deployment_is_read_as_a_person_reads_it() -> None:
    """Models with their shares, and the shadow."""
    variants = (Variant("production", "old", 75), Variant("candidate", "new", 25))
    assert str(Deployment("c", variants)) == "production old 75%, candidate new 25% (c)"
    assert str(Deployment("c", variants[:1], Variant("shadow", "new"))) == (
        "production old 100%, shadow new (c)"
    )
