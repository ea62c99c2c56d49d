"""What each step is given: the services, the person and the limits.

Where the services are is boto3's matter: on AWS, or at ``AWS_ENDPOINT_URL_SAGEMAKER`` and the like.
"""

from dataclasses import dataclass

import boto3

from deploy.promotion.endpoint import POLL_S, Endpoint
from deploy.promotion.limits import Limits
from deploy.promotion.measurements import Measurements
from deploy.promotion.operator import Operator
from deploy.promotion.registry import Registry
from deploy.promotion.storage import Storage


@dataclass(frozen=True)
class Context:
    """Everything outside of a step."""

    endpoint: Endpoint
    registry: Registry
    measurements: Measurements
    storage: Storage
    operator: Operator
    limits: Limits


def connect(operator: Operator, limits: Limits, poll_s: float = POLL_S) -> Context:
    """Return the services of the region and the account that boto3 finds."""
    sagemaker = boto3.client("sagemaker")
    return Context(
        endpoint=Endpoint(sagemaker, poll_s),
        registry=Registry(sagemaker),
        measurements=Measurements(boto3.client("cloudwatch")),
        storage=Storage(boto3.client("s3")),
        operator=operator,
        limits=limits,
    )
