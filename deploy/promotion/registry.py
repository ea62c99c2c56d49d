"""The registry: versions of the model, what was measured of each, and who approved it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from deploy.names import ENDPOINT, MODEL_PACKAGE_GROUP
from deploy.promotion.failures import RefusedError

PENDING, APPROVED, REJECTED = "PendingManualApproval", "Approved", "Rejected"
CONTENT_TYPES = ("application/x-msgpack", "application/json")
_BUNDLE_VERSION, _COMPARED_WITH = "bundle_version", "compared_with"


@dataclass(frozen=True)
class Package:
    """One version of the model in the registry.

    Attributes:
        version: Its number in the group, which is what steps are given.
        arn: Its name.
        status: Whether it may serve: ``PENDING``, ``APPROVED`` or ``REJECTED``.
        image: The container.
        model_data: The bundle as ``model.tar.gz``, an S3 URI.
        evaluation: What was measured offline, ``evaluation.json`` on S3; empty where nothing was.
        bundle_version: What the bundle says of itself; empty where that was not registered.
        compared_with: The model in production that it was compared with; empty where it was not.
    """

    version: int
    arn: str
    status: str
    image: str
    model_data: str
    evaluation: str
    bundle_version: str
    compared_with: str

    @property
    def model(self) -> str:
        """The name of the model that serves it."""
        return f"{ENDPOINT}-v{self.version}"


class Registry:
    """SageMaker's model registry, and the models made of what is in it.

    Args:
        client: boto3's ``sagemaker``.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def package(self, version: int) -> Package:
        """Return a version.

        Raises:
            RefusedError: There is none of that number.
        """
        arns = dict(self._versions())
        if version not in arns:
            known = ", ".join(map(str, sorted(arns))) or "none"
            raise RefusedError(
                f"registry: {MODEL_PACKAGE_GROUP!r} has no version {version}; there are {known}"
            )
        return _package(self._client.describe_model_package(ModelPackageName=arns[version]))

    def packages(self) -> Iterator[Package]:
        """Yield all versions, newest first."""
        for version, _ in sorted(self._versions(), reverse=True):
            yield self.package(version)

    def add(self, image: str, model_data: str, evaluation: str, bundle_version: str) -> Package:
        """Register a version that nobody has approved yet; the group is made if it is missing."""
        if not self._has_group():
            self._client.create_model_package_group(ModelPackageGroupName=MODEL_PACKAGE_GROUP)
        made = self._client.create_model_package(
            ModelPackageGroupName=MODEL_PACKAGE_GROUP,
            ModelPackageDescription=f"Bundle {bundle_version}",
            ModelApprovalStatus=PENDING,
            InferenceSpecification={
                "Containers": [{"Image": image, "ModelDataUrl": model_data}],
                "SupportedContentTypes": list(CONTENT_TYPES),
                "SupportedResponseMIMETypes": list(CONTENT_TYPES),
            },
            ModelMetrics={
                "ModelQuality": {
                    "Statistics": {"ContentType": "application/json", "S3Uri": evaluation}
                }
            },
            CustomerMetadataProperties={_BUNDLE_VERSION: bundle_version},
        )
        return _package(
            self._client.describe_model_package(ModelPackageName=made["ModelPackageArn"])
        )

    def approve(self, package: Package, compared_with: str, why: str) -> None:
        """Say that a version may serve, and beside which model that was found."""
        described = self._client.describe_model_package(ModelPackageName=package.arn)
        # All of them: it is not said whether the new ones come on top or instead.
        told = described.get("CustomerMetadataProperties", {})
        self._client.update_model_package(
            ModelPackageArn=package.arn,
            ModelApprovalStatus=APPROVED,
            ApprovalDescription=why,
            CustomerMetadataProperties={**told, _COMPARED_WITH: compared_with},
        )

    def reject(self, package: Package, why: str) -> None:
        """Say that a version may not serve."""
        self._client.update_model_package(
            ModelPackageArn=package.arn, ModelApprovalStatus=REJECTED, ApprovalDescription=why
        )

    def image_of(self, model: str) -> str:
        """Return the container of a model."""
        image: str = self._container(self._client.describe_model(ModelName=model))["Image"]
        return image

    def make_model(self, package: Package, like: str) -> None:
        """Make the model of a version, in the place and with the rights of another model.

        It names image and data, not the package: a shadow runs before anybody has approved it.
        """
        if self._has_model(package.model):
            return
        other = self._client.describe_model(ModelName=like)
        kept = ("ExecutionRoleArn", "VpcConfig", "EnableNetworkIsolation")
        self._client.create_model(
            ModelName=package.model,
            PrimaryContainer={
                "Image": package.image,
                "ModelDataUrl": package.model_data,
                "Environment": self._container(other).get("Environment", {}),
            },
            Tags=[{"Key": "model-package", "Value": package.arn}],
            **{name: other[name] for name in kept if name in other},
        )

    def _versions(self) -> Iterator[tuple[int, str]]:
        if not self._has_group():
            return
        pages = self._client.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName=MODEL_PACKAGE_GROUP
        )
        for page in pages:
            for summary in page["ModelPackageSummaryList"]:
                yield summary["ModelPackageVersion"], summary["ModelPackageArn"]

    def _has_group(self) -> bool:
        found = self._client.list_model_package_groups(NameContains=MODEL_PACKAGE_GROUP)
        groups = found["ModelPackageGroupSummaryList"]
        return any(group["ModelPackageGroupName"] == MODEL_PACKAGE_GROUP for group in groups)

    def _has_model(self, name: str) -> bool:
        found = self._client.list_models(NameContains=name)["Models"]
        return any(model["ModelName"] == name for model in found)

    @staticmethod
    def _container(model: Mapping[str, Any]) -> dict[str, Any]:
        container: dict[str, Any] = model.get("PrimaryContainer") or model["Containers"][0]
        return container


def _package(described: Mapping[str, Any]) -> Package:
    container = described["InferenceSpecification"]["Containers"][0]
    told = described.get("CustomerMetadataProperties", {})
    quality = described.get("ModelMetrics", {}).get("ModelQuality", {})
    return Package(
        version=described["ModelPackageVersion"],
        arn=described["ModelPackageArn"],
        status=described["ModelApprovalStatus"],
        image=container["Image"],
        model_data=container["ModelDataUrl"],
        evaluation=quality.get("Statistics", {}).get("S3Uri", ""),
        bundle_version=told.get(_BUNDLE_VERSION, ""),
        compared_with=told.get(_COMPARED_WITH, ""),
    )
