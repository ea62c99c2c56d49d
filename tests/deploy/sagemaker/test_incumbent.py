"""What retraining compares with is what serves."""

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("moto", reason="needs the extra `deploy`, in an environment of its own")

import boto3
from moto import mock_aws

from deploy.names import CANDIDATE_VARIANT, ENDPOINT, PRODUCTION_VARIANT
from deploy.sagemaker import incumbent

BUCKET = "roadside-models"
ROLE = "arn:aws:iam::123456789012:role/endpoint"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An empty bucket; no AWS behind it."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        yield client


def _keys(s3: Any) -> list[str]:
    return [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def _serve(s3: Any) -> None:
    """Let production serve one model and the candidate another."""
    sagemaker = boto3.client("sagemaker")
    for name in (PRODUCTION_VARIANT, CANDIDATE_VARIANT):
        key = f"models/{name}/model.tar.gz"
        s3.put_object(Bucket=BUCKET, Key=key, Body=name.encode())
        container = {"Image": "image", "ModelDataUrl": f"s3://{BUCKET}/{key}"}
        sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    sagemaker.create_endpoint_config(
        EndpointConfigName="config",
        ProductionVariants=[
            {
                "VariantName": name, "ModelName": name, "InitialInstanceCount": 1,
                "InstanceType": "ml.m5.xlarge", "InitialVariantWeight": 1,
            }
            for name in (CANDIDATE_VARIANT, PRODUCTION_VARIANT)
        ],
    )  # fmt: skip
    sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName="config")


def test_before_anything_serves_there_is_a_note(s3: Any) -> None:
    """The folder is not empty, and has no archive: the first model is held to the rules only."""
    assert incumbent.main(["--bucket", BUCKET]) == 0
    assert _keys(s3) == [incumbent.NOTE]


def test_what_production_serves_is_kept(s3: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Production's bytes are the incumbent's, not a candidate's; twice is as good as once."""
    _serve(s3)
    for _ in range(2):
        assert incumbent.main(["--bucket", BUCKET]) == 0
    kept = s3.get_object(Bucket=BUCKET, Key=incumbent.ARCHIVE)["Body"].read()
    assert kept == PRODUCTION_VARIANT.encode()
    assert f"models/{PRODUCTION_VARIANT}/model.tar.gz" in capsys.readouterr().out


def test_a_missing_bucket_is_one_clear_line(s3: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """What AWS refuses ends the command with status 2 and its reason."""
    del s3
    assert incumbent.main(["--bucket", "another"]) == 2
    assert "NoSuchBucket" in capsys.readouterr().err
