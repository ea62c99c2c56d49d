"""One contract for the registry, whoever answers: moto, or the stand-in that the endpoint has here.

What moto does not have, changes of an endpoint and shadows, is held to its form in test_endpoint.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from deploy.local.endpoint.resources import Resources
from deploy.names import ENDPOINT
from deploy.promotion.endpoint import Deployment, Endpoint, Variant
from deploy.promotion.failures import RefusedError
from deploy.promotion.measurements import SAGEMAKER, Measurements
from deploy.promotion.registry import APPROVED, PENDING, REJECTED, Registry
from deploy.promotion.storage import Storage
from tests.deploy.promotion import service

moto = pytest.importorskip("moto", reason="the deploy environment has it")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An account of nobody."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with moto.mock_aws():
        yield


@pytest.fixture(params=["moto", "stand-in"])
def sagemaker(request: pytest.FixtureRequest) -> Any:
    """SageMaker, with a model in production."""
    if request.param == "moto":
        request.getfixturevalue("aws")
        client = boto3.client("sagemaker")
    else:
        client = service.client(Resources().operations)
    service.deploy_first(client)
    return client


def test_versions_are_numbered_and_keep_what_they_were_registered_with(sagemaker: Any) -> None:
    """The first version makes the group; each has its number and all that a promotion reads."""
    registry = Registry(sagemaker)
    assert list(registry.packages()) == []
    for number in (1, 2):
        made = registry.add("image", f"s3://m/{number}", f"s3://e/{number}", f"b{number}")
        assert made == registry.package(number)
    assert [package.version for package in registry.packages()] == [2, 1]
    assert (made.status, made.image, made.model_data) == (PENDING, "image", "s3://m/2")
    assert (made.evaluation, made.bundle_version, made.compared_with) == ("s3://e/2", "b2", "")


def test_a_version_is_approved_beside_a_model_and_rejected(sagemaker: Any) -> None:
    """Approval keeps what was known of it, and adds what it was compared with."""
    registry = Registry(sagemaker)
    registry.approve(registry.add("image", "s3://m", "s3://e", "b1"), "first", "gates passed")
    approved = registry.package(1)
    assert (approved.status, approved.compared_with) == (APPROVED, "first")
    assert approved.bundle_version == "b1"
    registry.reject(approved, "no")
    assert registry.package(1).status == REJECTED


def test_an_unknown_version_is_refused(sagemaker: Any) -> None:
    """Before there is any, too."""
    with pytest.raises(RefusedError, match="no version 3; there are none"):
        Registry(sagemaker).package(3)


def test_a_versions_model_is_made_once_and_like_another(sagemaker: Any) -> None:
    """Rights, network and settings are those of production; a second time nothing is made."""
    registry = Registry(sagemaker)
    package = registry.add("image-2", "s3://m", "s3://e", "b1")
    for _ in range(2):
        registry.make_model(package, like=service.FIRST)
    made = sagemaker.describe_model(ModelName=package.model)
    like = sagemaker.describe_model(ModelName=service.FIRST)
    assert made["ExecutionRoleArn"] == like["ExecutionRoleArn"]
    assert made["VpcConfig"] == like["VpcConfig"]
    assert made["PrimaryContainer"]["Environment"] == {"WORKERS": "2"}
    assert registry.image_of(package.model) == "image-2"


def test_a_configuration_comes_back_as_it_was_made(sagemaker: Any) -> None:
    """Variants, weights and the way back are read from the configuration itself."""
    registry, endpoint = Registry(sagemaker), Endpoint(sagemaker)
    package = registry.add("image", "s3://m", "s3://e", "b1")
    registry.make_model(package, like=service.FIRST)
    variants = (
        Variant("production", service.FIRST, 95.0),
        Variant("candidate", package.model, 5.0),
    )
    made = Deployment("canary", variants, before=service.FIRST)
    endpoint.make(made, like=service.FIRST)
    assert endpoint.described("canary") == made
    config = sagemaker.describe_endpoint_config(EndpointConfigName="canary")
    assert config["KmsKeyId"] == service.KEY
    assert {v["InitialInstanceCount"] for v in config["ProductionVariants"]} == {6}


def _put_alarm(cloudwatch: Any, name: str) -> None:
    cloudwatch.put_metric_alarm(
        AlarmName=name, Namespace="n", MetricName="m", Statistic="Sum", Period=60,
        EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip


@pytest.mark.usefixtures("aws")
def test_alarms_that_there_are_have_a_state_and_can_be_tripped() -> None:
    """A missing alarm is not in the answer; a tripped one is in ALARM."""
    cloudwatch = boto3.client("cloudwatch")
    for name in ("a", "b"):
        _put_alarm(cloudwatch, name)
    measurements = Measurements(cloudwatch)
    measurements.trip("a", "a test")
    states = measurements.alarms(["a", "b", "c"])
    assert set(states) == {"a", "b"}
    assert states["a"] == "ALARM"


def test_a_variant_is_measured_alone_and_at_its_worst() -> None:
    """Sums of requests and errors, and of two periods' percentiles the higher one, in ms."""
    client = boto3.client(
        "cloudwatch", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    end = datetime(2026, 11, 27, 12, tzinfo=UTC)
    start = end - timedelta(seconds=90)
    values = {"requests": [20.0, 30.0], "errors": [1.0], "p50": [], "p99": [20_000.0, 70_000.0]}
    told = {"MetricDataResults": [{"Id": name, "Values": v} for name, v in values.items()]}
    with Stubber(client) as stubber:
        stubber.add_response(
            "get_metric_data",
            told,
            {"MetricDataQueries": ANY, "StartTime": start, "EndTime": end},
        )
        asked: list[dict[str, Any]] = []
        client.meta.events.register(
            "provide-client-params.cloudwatch.GetMetricData",
            lambda params, **_: asked.extend(params["MetricDataQueries"]),
        )
        found = Measurements(client).measured("candidate", start, end)
    assert (found.requests, found.errors, found.p99_ms) == (50, 1, 70.0)
    assert found.p50_ms != found.p50_ms  # not a number
    statistics = {query["Id"]: query["MetricStat"] for query in asked}
    assert {stat["Period"] for stat in statistics.values()} == {120}
    assert {stat["Metric"]["Namespace"] for stat in statistics.values()} == {SAGEMAKER}
    assert statistics["p99"]["Metric"]["Dimensions"] == [
        {"Name": "EndpointName", "Value": ENDPOINT},
        {"Name": "VariantName", "Value": "candidate"},
    ]


@pytest.mark.usefixtures("aws")
def test_objects_are_read_below_a_place_and_since_a_time() -> None:
    """What was written before, or stands elsewhere, is not read."""
    boto3.client("s3").create_bucket(Bucket="bucket")
    storage = Storage(boto3.client("s3"))
    storage.write("s3://bucket/a/1", b"one")
    storage.write("s3://bucket/b/2", b"two")
    assert storage.read("s3://bucket/a/1") == b"one"
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    assert list(storage.below("s3://bucket/a/", long_ago)) == [b"one"]
    assert list(storage.below("s3://bucket/a/", datetime.now(UTC) + timedelta(hours=1))) == []


@pytest.mark.usefixtures("aws")
def test_a_place_that_is_not_on_s3_is_told() -> None:
    """A path is no URI."""
    with pytest.raises(ValueError, match="'/tmp/x' is no place on S3"):
        Storage(boto3.client("s3")).read("/tmp/x")  # noqa: S108 - it is not read
