"""A context whose SageMaker is in memory, with one model in production and one registered."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy.local.endpoint.resources import Resources
from deploy.promotion.context import Context
from deploy.promotion.endpoint import Endpoint
from deploy.promotion.limits import Limits
from deploy.promotion.operator import Operator
from deploy.promotion.registry import Package, Registry
from deploy.sagemaker.pipeline.gates import GATES
from tests.deploy.promotion import service


@dataclass(frozen=True)
class World:
    """What a test acts on and looks at."""

    context: Context
    endpoint: service.Endpoint
    resources: Resources
    alarms: dict[str, str]
    measurements: service.Measurements
    storage: service.Storage

    def weights(self) -> list[dict[str, float]]:
        """Return the weights of each configuration that was asked for, by variant, in order."""
        return [
            {
                variant["VariantName"]: variant["InitialVariantWeight"]
                for variant in self.resources.config(asked["EndpointConfigName"])[
                    "ProductionVariants"
                ]
            }
            for asked in self.endpoint.updates
        ]

    def registered(self, gates: Mapping[str, float] | None = None) -> Package:
        """Register a version whose evaluation passes every gate but those given."""
        place = "s3://models/new/evaluation.json"
        self.storage.write(place, evaluation("new", gates or {}))
        return self.context.registry.add("image-2", "s3://models/new/model.tar.gz", place, "new")

    def approved(self, compared_with: str = service.FIRST) -> Package:
        """Register a version, and approve it."""
        package = self.registered()
        self.context.registry.approve(package, compared_with, "test")
        return package


def evaluation(version: str, gates: Mapping[str, float]) -> bytes:
    """Return ``evaluation.json`` of a model that passes every gate but those given."""
    passing = {gate.measure: 1.0 if gate.is_least else 0.0 for gate in GATES}
    told = {"version": version, "test": {"requests": 900}, "gates": {**passing, **gates}}
    return json.dumps(told).encode()


@pytest.fixture
def world() -> World:
    """The services, agreeing to everything."""
    resources, measurements = Resources(), service.Measurements()
    endpoint, storage = service.Endpoint(resources, measurements.states), service.Storage()
    operations = {
        **resources.operations,
        "UpdateEndpoint": endpoint.update,
        "DescribeEndpoint": endpoint.describe,
    }
    sagemaker: Any = service.client(operations)
    service.deploy_first(sagemaker)
    fakes: Any = measurements, storage
    context = Context(
        Endpoint(sagemaker, poll_s=0), Registry(sagemaker), *fakes, Operator(agrees=True), Limits()
    )
    return World(context, endpoint, resources, measurements.states, measurements, storage)


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """The daily job's report of a day that was well."""
    directory = tmp_path / "monitoring"
    directory.mkdir()
    (directory / "findings.json").write_text("[]")
    (directory / "monitoring.prom").write_text(f"monitoring_finished_seconds {time.time()}\n")
    return directory
