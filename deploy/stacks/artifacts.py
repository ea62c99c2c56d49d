"""The artifacts stack: where what is built is put before the stacks that run it are deployed."""

from aws_cdk import CfnOutput, RemovalPolicy, Stack, aws_ecr
from constructs import Construct

from deploy.stacks import storage

KEPT_IMAGES = 20

MODELS = "models"
"""Prefix of the model bundles (``model.tar.gz``), which endpoint and gateway may read."""
PIPELINES = "pipelines"
"""Prefix of the training pipeline's definition and of what its steps hand to one another."""


class ArtifactsStack(Stack):
    """A bucket for code, models and pipeline definitions, and a repository for each image.

    Attributes:
        key: Encrypts the bucket and the images.
        bucket: ``models/``, ``pipelines/`` and the application's zip.
        endpoint_images: Images of the SageMaker container, which also trains.
        gateway_images: Images of the gateway.
        collector_images: Copies of the collector that carries metrics to CloudWatch.
    """

    def __init__(self, scope: Construct, identifier: str) -> None:
        super().__init__(scope, identifier, description="Code, models, images of provider ranking")
        self.key = storage.key(self, "Key", "Encrypts code, models and images of provider ranking")
        logs = storage.log_bucket(self, "AccessLogs")
        self.bucket = storage.bucket(self, "Artifacts", self.key, logs)
        self.endpoint_images = self._images("Endpoint")
        self.gateway_images = self._images("Gateway")
        self.collector_images = self._images("Collector")
        CfnOutput(self, "ArtifactsBucket", value=self.bucket.bucket_name)
        CfnOutput(self, "ArtifactsKey", value=self.key.key_arn)

    def _images(self, name: str) -> aws_ecr.Repository:
        images = aws_ecr.Repository(
            self,
            f"{name}Images",
            repository_name=f"roadside-{name.lower()}",
            encryption=aws_ecr.RepositoryEncryption.KMS,
            encryption_key=self.key,
            image_scan_on_push=True,
            # What a tag named when it was tested is what it names when it is rolled back to.
            image_tag_mutability=aws_ecr.TagMutability.IMMUTABLE,
            lifecycle_rules=[aws_ecr.LifecycleRule(max_image_count=KEPT_IMAGES)],
            removal_policy=RemovalPolicy.RETAIN,
        )
        CfnOutput(self, f"{name}Repository", value=images.repository_uri)
        return images
