"""A deployment's places as the committed definition has them; none of them exists."""

from pathlib import Path

from deploy.sagemaker.pipeline.settings import Settings

DEFINITION = Path(__file__).with_name("pipeline.json")
"""What the settings below give; `test_definition.py` says how to write it again."""

SETTINGS = Settings(
    role="arn:aws:iam::111122223333:role/roadside-retraining",
    bucket="roadside-models",
    image="roadside-ranker@sha256:" + "0" * 64,
    kms_key="arn:aws:kms:us-east-1:111122223333:key/00000000-0000-0000-0000-000000000000",
    subnets=("subnet-0a", "subnet-0b", "subnet-0c"),
    security_groups=("sg-0a",),
)
