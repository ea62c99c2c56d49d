"""Keeps what serves where retraining compares with it: ``python -m deploy.sagemaker.incumbent``.

Run it before the first retraining, after each promotion and after each roll-back. A processing job
fails on an empty input folder, so there is always something: until a model serves, a note.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from deploy.names import ENDPOINT, PRODUCTION_VARIANT
from deploy.sagemaker.pipeline.jobs import INCUMBENT

ARCHIVE = f"{INCUMBENT}/model.tar.gz"
NOTE = f"{INCUMBENT}/none"


def serving(sagemaker: Any) -> str | None:
    """Return the URI of the ``model.tar.gz`` that serves; None if there is no endpoint.

    Args:
        sagemaker: boto3's client.

    Raises:
        ClientError: AWS refuses.
    """
    try:
        endpoint = sagemaker.describe_endpoint(EndpointName=ENDPOINT)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationException":  # there is none of the name
            return None
        raise
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    models = {each["VariantName"]: each["ModelName"] for each in config["ProductionVariants"]}
    model = sagemaker.describe_model(ModelName=models[PRODUCTION_VARIANT])
    container = model.get("PrimaryContainer") or model["Containers"][0]
    uri: str = container["ModelDataUrl"]
    return uri


def keep(sagemaker: Any, s3: Any, bucket: str) -> str | None:
    """Copy what serves to the incumbent's place; return where it came from, None for a note.

    Raises:
        ClientError: AWS refuses.
    """
    uri = serving(sagemaker)
    if uri is None:
        s3.put_object(Bucket=bucket, Key=NOTE, Body=b"No model serves yet.\n")
        return None
    source = urlsplit(uri)
    place = {"Bucket": source.netloc, "Key": source.path.lstrip("/")}
    s3.copy_object(Bucket=bucket, Key=ARCHIVE, CopySource=place)
    return uri


def main(arguments: Sequence[str] | None = None) -> int:
    """Keep the incumbent; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.sagemaker.incumbent",
        description=f"Copy what {ENDPOINT} serves to s3://BUCKET/{ARCHIVE}, with which retraining "
        "compares.",
    )
    parser.add_argument("--bucket", required=True, help="the artifacts' bucket")
    bucket: str = parser.parse_args(arguments).bucket
    try:
        kept = keep(boto3.client("sagemaker"), boto3.client("s3"), bucket)
    except (BotoCoreError, ClientError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    told = f"no model serves: {NOTE}" if kept is None else f"{ARCHIVE} is {kept}"
    sys.stdout.write(f"s3://{bucket}: {told}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
