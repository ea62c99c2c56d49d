"""Redis, the emulator, the endpoint's stand-in with a model in production, and a gateway."""

import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
import redis
from botocore.exceptions import BotoCoreError, ClientError

from benchmarks.chaos.stack import PYTHON, READY_S
from benchmarks.chaos.world import PROJECT, Town
from benchmarks.promotion import guardrails
from deploy.local.emulator import AWS_ENVIRONMENT, environment
from deploy.local.endpoint.__main__ import RANKER
from deploy.local.ports import HOST, free_ports
from deploy.local.processes import Supervisor
from deploy.names import ENDPOINT, PRODUCTION_VARIANT
from deploy.package_model import package

BUCKET = "models"
INCUMBENT = f"{ENDPOINT}-first"
SLOW, CRASHING = "slow", "crashing"
DELAY_S = 0.4
CRASH_AFTER = 3
_BAD = f"{sys.executable} -m benchmarks.promotion.bad_server"
IMAGES = {
    SLOW: f"{_BAD} --model-dir {{model_dir}} --port {{port}} --delay-s {DELAY_S}",
    CRASHING: f"{_BAD} --model-dir {{model_dir}} --port {{port}} --crash-after {CRASH_AFTER}",
}


class Stack:
    """Everything that a promotion runs against.

    Args:
        directory: For logs, models and the decisions on disk.
        bundle: The model in production, and the one in the gateway's process.
    """

    def __init__(self, directory: Path, bundle: Path) -> None:
        self._directory = directory
        self._bundle = bundle
        self._redis_port, self._emulator_port, self._endpoint_port, self.gateway_port = free_ports(
            4
        )
        self._supervisor = Supervisor(directory / "logs")
        self._ends = ExitStack()
        emulator, endpoint = (
            f"http://{HOST}:{port}" for port in (self._emulator_port, self._endpoint_port)
        )
        self.environment = {
            **AWS_ENVIRONMENT,
            "AWS_ENDPOINT_URL_S3": emulator,
            "AWS_ENDPOINT_URL_CLOUDWATCH": emulator,
            "AWS_ENDPOINT_URL_SAGEMAKER": endpoint,
        }
        """What makes boto3 find the services."""

    def __enter__(self) -> Self:
        with ExitStack() as ends:
            ends.enter_context(self._supervisor)
            self._start()
            self.cloudwatch = self.client("cloudwatch")
            guardrails.make(self.cloudwatch)
            ends.enter_context(guardrails.Agent(self.gateway_port, self.cloudwatch))
            self._ends = ends.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ends.close()

    def client(self, service: str) -> Any:
        """Return boto3's client of a service here."""
        name = f"AWS_ENDPOINT_URL_{service.upper()}"
        return boto3.client(
            service,
            endpoint_url=self.environment[name],
            region_name=AWS_ENVIRONMENT["AWS_DEFAULT_REGION"],
            aws_access_key_id=AWS_ENVIRONMENT["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=AWS_ENVIRONMENT["AWS_SECRET_ACCESS_KEY"],
        )

    def refresh(self) -> None:
        """Write every provider's rows as of now."""
        with redis.Redis(HOST, self._redis_port) as client:
            Town(client, seed=0).write()

    def promote(self, *arguments: str) -> subprocess.Popen[str]:
        """Start ``python -m deploy.promotion`` as an operator would who agrees to everything."""
        return subprocess.Popen(
            [*PYTHON, "deploy.promotion", "--yes", "--poll-s", "0.3", *arguments],
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _start(self) -> None:
        self._run("redis", ["redis-server", "--bind", HOST, "--port", str(self._redis_port),
                            "--save", ""], self._redis_answers)  # fmt: skip
        self._run(
            "emulator",
            [*PYTHON, "deploy.local.endpoint.emulator"],
            lambda: _answers(self.client("s3").list_buckets),
            environment(self._emulator_port),
        )
        images = [f"--image={name}={command}" for name, command in IMAGES.items()]
        self._run(
            "endpoint",
            [*PYTHON, "deploy.local.endpoint", "--port", str(self._endpoint_port),
             "--emulator-url", f"http://{HOST}:{self._emulator_port}",
             "--directory", str(self._directory / "endpoint"), *images],
            lambda: _answers(self.client("sagemaker").list_models),
        )  # fmt: skip
        self._deploy_incumbent()
        self.refresh()
        self._run("gateway", self._gateway_command(), self._gateway_answers, AWS_ENVIRONMENT)

    def _run(
        self,
        name: str,
        command: Sequence[str],
        ready: Callable[[], bool],
        env: Mapping[str, str] | None = None,
    ) -> None:
        child = self._supervisor.start(name, command, env)
        self._supervisor.wait_until(name, ready, READY_S, child)

    def _deploy_incumbent(self) -> None:
        """Put the first model into production, as the infrastructure does before any promotion."""
        archive = self._directory / "model.tar.gz"
        package(self._bundle, archive)
        s3, sagemaker = self.client("s3"), self.client("sagemaker")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key="first/model.tar.gz", Body=archive.read_bytes())
        sagemaker.create_model(
            ModelName=INCUMBENT,
            ExecutionRoleArn="arn:aws:iam::000000000000:role/endpoint",
            PrimaryContainer={
                "Image": RANKER,
                "ModelDataUrl": f"s3://{BUCKET}/first/model.tar.gz",
            },
        )
        sagemaker.create_endpoint_config(
            EndpointConfigName=INCUMBENT,
            ProductionVariants=[
                {
                    "VariantName": PRODUCTION_VARIANT,
                    "ModelName": INCUMBENT,
                    "InitialVariantWeight": 1.0,
                    "InitialInstanceCount": 1,
                    "InstanceType": "ml.c7i.xlarge",
                }
            ],
        )
        sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName=INCUMBENT)
        self._supervisor.wait_until("first fleet", lambda: self.status() == "InService", READY_S)

    def status(self) -> str:
        """Return SageMaker's word for where the endpoint stands."""
        status: str = self._described()["EndpointStatus"]
        return status

    def served(self) -> str:
        """Return the endpoint configuration in service."""
        config: str = self._described()["EndpointConfigName"]
        return config

    def _described(self) -> dict[str, Any]:
        described: dict[str, Any] = self.client("sagemaker").describe_endpoint(
            EndpointName=ENDPOINT
        )
        return described

    def _redis_answers(self) -> bool:
        with redis.Redis(HOST, self._redis_port) as client:
            return _answers(client.ping)

    def _gateway_answers(self) -> bool:
        url = f"http://{HOST}:{self.gateway_port}/readyz"
        return _answers(lambda: urllib.request.urlopen(url, timeout=2).close())

    def _gateway_command(self) -> list[str]:
        return [*PYTHON, "scoring.gateway.serve", "--bundle", str(self._bundle),
                "--port", str(self.gateway_port), "--project", PROJECT,
                "--redis-url", f"redis://{HOST}:{self._redis_port}/0",
                "--endpoint-name", ENDPOINT,
                "--endpoint-url", f"http://{HOST}:{self._endpoint_port}",
                "--kinesis-url", f"http://{HOST}:1",
                "--spill-dir", str(self._directory / "spill")]  # fmt: skip


def _answers(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except (BotoCoreError, ClientError, redis.RedisError, OSError):
        return False
    return True
