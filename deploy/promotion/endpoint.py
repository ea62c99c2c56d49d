"""The endpoint: what it serves, and how that is changed.

Every change is one ``UpdateEndpoint`` to a new configuration. A configuration never changes, so its
name says where the endpoint stands; a tag on it names the configuration to go back to.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deploy.names import ENDPOINT, PRODUCTION_VARIANT
from deploy.promotion.failures import RefusedError

BEFORE_TAG = "promotion-before"
IN_SERVICE, ROLLING_BACK = "InService", "RollingBack"
CHANGING = frozenset({"Creating", "Updating", "SystemUpdating", ROLLING_BACK})
STARTING_S = 1800
"""The longest that new instances may take until they serve."""
POLL_S = 5.0
_KEPT = ("KmsKeyId", "DataCaptureConfig", "ExecutionRoleArn", "VpcConfig", "EnableNetworkIsolation")


@dataclass(frozen=True)
class Variant:
    """One model of several behind the endpoint; its share is its weight over all weights."""

    name: str
    model: str
    weight: float = 1.0


@dataclass(frozen=True)
class Deployment:
    """What an endpoint configuration serves.

    Attributes:
        config: The configuration's name.
        variants: Who answers.
        shadow: Who is asked too, and not listened to.
        before: The configuration to go back to; empty where none is known.
        captures: Where questions and answers are captured, an S3 URI; empty where they are not.
        capture_percent: Of the requests.
    """

    config: str
    variants: tuple[Variant, ...]
    shadow: Variant | None = None
    before: str = ""
    captures: str = ""
    capture_percent: int = 0

    @property
    def production(self) -> Variant:
        """The variant that serves when no promotion is under way."""
        return next(v for v in self.variants if v.name == PRODUCTION_VARIANT)

    @property
    def is_settled(self) -> bool:
        """Whether no promotion is under way."""
        return len(self.variants) == 1 and self.shadow is None

    def __str__(self) -> str:
        """Return it as a person reads it."""
        whole = sum(variant.weight for variant in self.variants)
        parts = [f"{v.name} {v.model} {v.weight / whole:.0%}" for v in self.variants]
        if self.shadow is not None:
            parts.append(f"shadow {self.shadow.model}")
        return f"{', '.join(parts)} ({self.config})"


@dataclass(frozen=True)
class Guard:
    """What SageMaker watches during a change: any alarm, and it goes back to the former fleet."""

    alarms: Sequence[str]
    bake_s: int


@dataclass(frozen=True)
class Now:
    """Where the endpoint stands.

    Attributes:
        config: The configuration in service.
        status: SageMaker's word for it.
        since: When it was last changed.
        failure: Why the newest change failed; empty where it did not.
    """

    config: str
    status: str
    since: datetime
    failure: str


class Endpoint:
    """The SageMaker endpoint.

    Args:
        client: boto3's ``sagemaker``.
        poll_s: How often a change is looked after, seconds.
    """

    def __init__(self, client: Any, poll_s: float = POLL_S) -> None:
        self._client = client
        self._poll_s = poll_s

    def now(self) -> Now:
        """Return where the endpoint stands."""
        told = self._client.describe_endpoint(EndpointName=ENDPOINT)
        return Now(
            told["EndpointConfigName"],
            told["EndpointStatus"],
            told["LastModifiedTime"],
            told.get("FailureReason", ""),
        )

    def serving(self) -> Deployment:
        """Return what is served.

        Raises:
            RefusedError: A change is under way, or the last one broke the endpoint.
        """
        now = self.now()
        if now.status != IN_SERVICE:
            raise RefusedError(
                f"endpoint: {ENDPOINT!r} is {now.status}, not {IN_SERVICE} {now.failure}".strip()
            )
        return self.described(now.config)

    def described(self, config: str) -> Deployment:
        """Return what a configuration serves."""
        told = self._client.describe_endpoint_config(EndpointConfigName=config)
        tags = self._client.list_tags(ResourceArn=told["EndpointConfigArn"])["Tags"]
        shadows = [_variant(entry) for entry in told.get("ShadowProductionVariants", [])]
        capture = told.get("DataCaptureConfig", {})
        return Deployment(
            config=config,
            variants=tuple(_variant(entry) for entry in told["ProductionVariants"]),
            shadow=shadows[0] if shadows else None,
            before={tag["Key"]: tag["Value"] for tag in tags}.get(BEFORE_TAG, ""),
            captures=capture.get("DestinationS3Uri", "") if capture.get("EnableCapture") else "",
            capture_percent=capture.get("InitialSamplingPercentage", 0),
        )

    def make(self, deployment: Deployment, like: str) -> None:
        """Make the configuration of a deployment; what it does not say is as in another one."""
        other = self._client.describe_endpoint_config(EndpointConfigName=like)
        template = other["ProductionVariants"][0]
        request = {name: other[name] for name in _KEPT if other.get(name)}
        if deployment.captures:
            request["DataCaptureConfig"] = _capture(deployment, other.get("DataCaptureConfig", {}))
        if deployment.shadow is not None:
            request["ShadowProductionVariants"] = [_entry(deployment.shadow, template)]
        self._client.create_endpoint_config(
            EndpointConfigName=deployment.config,
            ProductionVariants=[_entry(variant, template) for variant in deployment.variants],
            Tags=[{"Key": BEFORE_TAG, "Value": deployment.before}],
            **request,
        )

    def update(self, config: str, guard: Guard | None) -> None:
        """Begin to serve a configuration; without a guard nothing but its start is watched."""
        guarded = {} if guard is None else {"DeploymentConfig": _deployment_config(guard)}
        self._client.update_endpoint(
            EndpointName=ENDPOINT,
            EndpointConfigName=config,
            # As many instances as autoscaling has made of them, but the weights we ask for.
            RetainAllVariantProperties=True,
            ExcludeRetainedVariantProperties=[
                {"VariantPropertyType": "DesiredWeight"},
                {"VariantPropertyType": "DataCaptureConfig"},
            ],
            **guarded,
        )

    def wait(self, watch: Callable[[Now], None]) -> Now:
        """Wait until no change is under way, and return where the endpoint stands then."""
        while (now := self.now()).status in CHANGING:
            watch(now)
            time.sleep(self._poll_s)
        return now


def _deployment_config(guard: Guard) -> dict[str, Any]:
    """Return a blue/green change: all traffic to the new fleet, the old one kept until it baked."""
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {
                "Type": "ALL_AT_ONCE",
                "WaitIntervalInSeconds": guard.bake_s,
            },
            "TerminationWaitInSeconds": guard.bake_s,
            "MaximumExecutionTimeoutInSeconds": STARTING_S + 2 * guard.bake_s,
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in guard.alarms]},
    }


def _variant(entry: Mapping[str, Any]) -> Variant:
    return Variant(entry["VariantName"], entry["ModelName"], entry["InitialVariantWeight"])


def _entry(variant: Variant, template: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **template,
        "VariantName": variant.name,
        "ModelName": variant.model,
        "InitialVariantWeight": variant.weight,
    }


def _capture(deployment: Deployment, other: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **other,
        "EnableCapture": True,
        "InitialSamplingPercentage": deployment.capture_percent,
        "DestinationS3Uri": deployment.captures,
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    }


def captured_below(deployment: Deployment, variant: str) -> str:
    """Return where a variant's captured requests are."""
    return f"{deployment.captures.rstrip('/')}/{ENDPOINT}/{variant}/"
