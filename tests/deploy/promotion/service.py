"""SageMaker in memory behind a real boto3 client, and the other services as tests want them."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse

from deploy.local.endpoint.resources import ApiError, Message, Resources
from deploy.names import ENDPOINT, guardrail_alarms
from deploy.promotion.evidence import Measured

FIRST = "first"
CAPTURES = "s3://captures/here"
KEY = "arn:aws:kms:us-east-1:000000000000:key/1"
VARIANTS = ("production", "candidate")


class Raw(BytesIO):
    """A body as botocore reads it."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        """Yield all of it."""
        yield self.read()


class Endpoint:
    """An endpoint that changes in two looks, and goes back when an alarm of the change rings.

    Attributes:
        updates: What it was asked to change to, in order.
        when: Called with the configuration's name at each look at a change.
    """

    def __init__(self, resources: Resources, alarms: Mapping[str, str]) -> None:
        self._resources = resources
        self._alarms = alarms
        self.config, self.status, self.failure = FIRST, "InService", ""
        self.updates: list[Message] = []
        self.when: Callable[[str], None] = lambda _: None
        self._looks = 0

    def update(self, asked: Message) -> Message:
        """``UpdateEndpoint``."""
        if self.status != "InService":
            raise ApiError(f"Cannot update in-progress endpoint: {self.status}")
        self._resources.config(asked["EndpointConfigName"])
        self.updates.append(asked)
        self.status, self.failure, self._looks = "Updating", "", 0
        return {"EndpointArn": "arn"}

    def describe(self, _: Message) -> Message:
        """``DescribeEndpoint``."""
        if self.status != "InService":
            self._go_on()
        told = {
            "EndpointName": ENDPOINT,
            "EndpointArn": "arn",
            "EndpointConfigName": self.config,
            "EndpointStatus": self.status,
            "CreationTime": 1.0,
            "LastModifiedTime": 2.0,
        }
        return told | ({"FailureReason": self.failure} if self.failure else {})

    def _go_on(self) -> None:
        change = self.updates[-1]
        config = change["EndpointConfigName"]
        self._looks += 1
        self.when(config)
        guard = change.get("DeploymentConfig", {}).get("AutoRollbackConfiguration", {})
        ringing = [a["AlarmName"] for a in guard.get("Alarms", []) if self._rings(a["AlarmName"])]
        if ringing:
            self.status, self.failure = "InService", f"alarm {ringing[0]}"
        elif self._looks == 3:
            self.status, self.config = "InService", config

    def _rings(self, name: str) -> bool:
        return self._alarms.get(name) == "ALARM"


@dataclass
class Measurements:
    """Alarms and measurements as they were put."""

    states: dict[str, str] = field(
        default_factory=lambda: {name: "OK" for v in VARIANTS for name in guardrail_alarms(v)}
    )
    of: dict[str, Measured] = field(default_factory=dict)
    tripped: list[str] = field(default_factory=list)

    def alarms(self, names: Sequence[str]) -> Mapping[str, str]:
        """Return states."""
        return {name: self.states[name] for name in names if name in self.states}

    def trip(self, name: str, reason: str) -> None:
        """Put an alarm into ALARM."""
        self.states[name] = "ALARM"
        self.tripped.append(f"{name}: {reason}")

    def measured(self, variant: str, start: datetime, end: datetime) -> Measured:  # noqa: ARG002
        """Return what a variant did."""
        return self.of.get(variant, Measured(1000, 0, 5.0, 20.0))


@dataclass
class Storage:
    """Objects by URI."""

    objects: dict[str, bytes] = field(default_factory=dict)

    def read(self, uri: str) -> bytes:
        """Return an object."""
        return self.objects[uri]

    def write(self, uri: str, content: bytes) -> None:
        """Write one."""
        self.objects[uri] = content

    def below(self, uri: str, since: datetime) -> Iterator[bytes]:
        """Yield what is below a URI."""
        assert since <= datetime.now(UTC)
        yield from (content for place, content in self.objects.items() if place.startswith(uri))


def client(operations: Mapping[str, Callable[[Message], Message]]) -> Any:
    """Return boto3's client of SageMaker, answered by functions, over its real (de)serialisers."""

    def answer(request: Any, **_: Any) -> AWSResponse:
        operation = request.headers["X-Amz-Target"].decode().rpartition(".")[2]
        try:
            status, told = 200, operations[operation](json.loads(request.body))
        except ApiError as error:
            status, told = 400, {"__type": error.code, "message": str(error)}
        return AWSResponse(request.url, status, {}, Raw(json.dumps(told).encode()))

    made = boto3.client(
        "sagemaker",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    made.meta.events.register("before-send.sagemaker", answer)
    return made


def deploy_first(sagemaker: Any) -> None:
    """Make the model and the configuration that the infrastructure puts into production."""
    sagemaker.create_model(
        ModelName=FIRST,
        ExecutionRoleArn="arn:aws:iam::000000000000:role/endpoint",
        VpcConfig={"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
        PrimaryContainer={
            "Image": "image-1",
            "ModelDataUrl": "s3://models/first.tar.gz",
            "Environment": {"WORKERS": "2"},
        },
    )
    sagemaker.create_endpoint_config(
        EndpointConfigName=FIRST,
        ProductionVariants=[
            {
                "VariantName": "production",
                "ModelName": FIRST,
                "InitialVariantWeight": 1.0,
                "InitialInstanceCount": 6,
                "InstanceType": "ml.c5.xlarge",
            }
        ],
        KmsKeyId=KEY,
    )
