"""The stand-in and the emulator, with models whose containers start at once."""

import io
import sys
import tarfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from deploy.local.emulator import ACCESS_KEY, REGION, SECRET_KEY, environment
from deploy.local.ports import HOST, free_ports
from deploy.local.processes import Supervisor
from deploy.names import ENDPOINT
from deploy.promotion.endpoint import Deployment, Endpoint, Guard, Now, Variant
from deploy.promotion.measurements import SAGEMAKER, Measurements
from deploy.promotion.storage import Storage

READY_S = 60.0
PYTHON = (sys.executable, "-m")
FIRST, SECOND, BROKEN = "first", "second", "broken"
_CONTAINER = f"{sys.executable} {Path(__file__).with_name('container.py')}"


@dataclass(frozen=True)
class StandIn:
    """A running endpoint and how to reach all of it."""

    url: str
    sagemaker: Any
    cloudwatch: Any
    endpoint: Endpoint
    measurements: Measurements
    storage: Storage

    def ask(self, question: bytes = b"who?") -> tuple[int, bytes, str]:
        """Ask the endpoint; return status, answer and the variant that answered."""
        request = urllib.request.Request(  # noqa: S310 - our own address
            f"{self.url}/endpoints/{ENDPOINT}/invocations", question
        )
        try:
            with urllib.request.urlopen(request) as answer:  # noqa: S310
                told = answer.headers["x-Amzn-Invoked-Production-Variant"]
                return answer.status, answer.read(), told
        except urllib.error.HTTPError as error:
            return error.code, error.read(), error.headers["x-Amzn-Invoked-Production-Variant"]

    def serve(self, deployment: Deployment, guard: Guard | None = None) -> Now:
        """Bring the endpoint to a deployment and wait until that is over."""
        self.endpoint.make(deployment, like=FIRST)
        self.endpoint.update(deployment.config, guard)
        return self.endpoint.wait(lambda _: None)

    def alarm(self, name: str, variant: str) -> None:
        """Make an alarm that rings at a variant's second failure."""
        self.cloudwatch.put_metric_alarm(
            AlarmName=name, Namespace=SAGEMAKER, MetricName="Invocation5XXErrors", Statistic="Sum",
            Dimensions=[{"Name": "EndpointName", "Value": ENDPOINT},
                        {"Name": "VariantName", "Value": variant}],
            Period=10, EvaluationPeriods=1, Threshold=1.5,
            ComparisonOperator="GreaterThanThreshold", TreatMissingData="notBreaching",
        )  # fmt: skip


def until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold"
        time.sleep(0.1)


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """One endpoint that serves the model ``first``."""
    directory = tmp_path_factory.mktemp("endpoint")
    emulator_port, port = free_ports(2)
    emulator, url = f"http://{HOST}:{emulator_port}", f"http://{HOST}:{port}"
    with Supervisor(directory / "logs") as supervisor:
        started = supervisor.start(
            "emulator", [*PYTHON, "deploy.local.endpoint.emulator"], environment(emulator_port)
        )
        s3 = _client("s3", emulator)
        supervisor.wait_until("emulator", lambda: _answers(s3.list_buckets), READY_S, started)
        started = supervisor.start(
            "endpoint",
            [*PYTHON, "deploy.local.endpoint", "--port", str(port), "--emulator-url", emulator,
             "--directory", str(directory),
             "--image", f"tiny={_CONTAINER} --model-dir {{model_dir}} --port {{port}}"],
        )  # fmt: skip
        sagemaker = _client("sagemaker", url)
        supervisor.wait_until("endpoint", lambda: _answers(sagemaker.list_models), READY_S, started)
        cloudwatch = _client("cloudwatch", emulator)
        _make_models(s3, sagemaker)
        endpoint = Endpoint(sagemaker, poll_s=0.1)
        sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName=FIRST)
        endpoint.wait(lambda _: None)
        yield StandIn(url, sagemaker, cloudwatch, endpoint, Measurements(cloudwatch), Storage(s3))


@pytest.fixture
def settled(stand_in: StandIn) -> Iterator[StandIn]:
    """The endpoint, back at the first model afterwards."""
    yield stand_in
    stand_in.endpoint.wait(lambda _: None)
    stand_in.endpoint.update(FIRST, None)
    stand_in.endpoint.wait(lambda _: None)


def variants(production: float, candidate: float, model: str = SECOND) -> tuple[Variant, ...]:
    """Return the two variants of a canary."""
    return Variant("production", FIRST, production), Variant("candidate", model, candidate)


def _make_models(s3: Any, sagemaker: Any) -> None:
    s3.create_bucket(Bucket="models")
    for name in (FIRST, SECOND, BROKEN):
        s3.put_object(Bucket="models", Key=f"{name}.tar.gz", Body=_archive(name))
        sagemaker.create_model(
            ModelName=name,
            ExecutionRoleArn="arn:aws:iam::000000000000:role/endpoint",
            PrimaryContainer={"Image": "tiny", "ModelDataUrl": f"s3://models/{name}.tar.gz"},
        )
    sagemaker.create_endpoint_config(
        EndpointConfigName=FIRST,
        ProductionVariants=[
            {
                "VariantName": "production",
                "ModelName": FIRST,
                "InitialVariantWeight": 1.0,
                "InitialInstanceCount": 1,
                "InstanceType": "ml.c5.xlarge",
            }
        ],
    )


def _archive(name: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        entry = tarfile.TarInfo("other" if name == BROKEN else "name")
        entry.size = len(name)
        archive.addfile(entry, io.BytesIO(name.encode()))
    return packed.getvalue()


def _client(service: str, url: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
    )


def _answers(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except (BotoCoreError, ClientError):
        return False
    return True
