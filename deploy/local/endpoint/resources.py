"""What the control plane keeps: model packages, models, endpoint configurations, their tags.

Each operation takes and returns what SageMaker's does, as far as a promotion uses it. Times are
epoch seconds, as in SageMaker's JSON.
"""

import time
from collections.abc import Callable
from typing import Any

Message = dict[str, Any]
ARN = "arn:aws:sagemaker:us-east-1:000000000000"


class ApiError(Exception):
    """A request that SageMaker refuses, too.

    Attributes:
        code: SageMaker's name for the reason.
    """

    def __init__(self, message: str, code: str = "ValidationException") -> None:
        super().__init__(message)
        self.code = code


class Resources:
    """Everything that has been made.

    Attributes:
        models: By name, as ``CreateModel`` was asked for them.
        configs: By name, as ``CreateEndpointConfig`` was asked for them.
    """

    def __init__(self) -> None:
        self.models: dict[str, Message] = {}
        self.configs: dict[str, Message] = {}
        self._groups: list[str] = []
        self._packages: list[Message] = []
        self._tags: dict[str, list[Message]] = {}
        self.operations: dict[str, Callable[[Message], Message]] = {
            "CreateModelPackageGroup": self._create_group,
            "ListModelPackageGroups": self._list_groups,
            "CreateModelPackage": self._create_package,
            "DescribeModelPackage": self._describe_package,
            "ListModelPackages": self._list_packages,
            "UpdateModelPackage": self._update_package,
            "CreateModel": self._create_model,
            "DescribeModel": lambda asked: _named(self.models, asked["ModelName"]),
            "ListModels": self._list_models,
            "CreateEndpointConfig": self._create_config,
            "DescribeEndpointConfig": lambda asked: self.config(asked["EndpointConfigName"]),
            "ListTags": lambda asked: {"Tags": self._tags.get(asked["ResourceArn"], [])},
        }

    def config(self, name: str) -> Message:
        """Return an endpoint configuration.

        Raises:
            ApiError: There is none of that name.
        """
        return _named(self.configs, name)

    def _create_group(self, asked: Message) -> Message:
        name = asked["ModelPackageGroupName"]
        if name in self._groups:
            raise ApiError(f"Model package group {name!r} exists already")
        self._groups.append(name)
        return {"ModelPackageGroupArn": f"{ARN}:model-package-group/{name}"}

    def _list_groups(self, asked: Message) -> Message:
        part = asked.get("NameContains", "")
        found = [{"ModelPackageGroupName": name} for name in self._groups if part in name]
        return {"ModelPackageGroupSummaryList": found}

    def _create_package(self, asked: Message) -> Message:
        group = asked["ModelPackageGroupName"]
        if group not in self._groups:
            raise ApiError(f"Model package group {group!r} does not exist")
        version = 1 + sum(p["ModelPackageGroupName"] == group for p in self._packages)
        arn = f"{ARN}:model-package/{group}/{version}"
        made = {**asked, "ModelPackageArn": arn, "ModelPackageVersion": version}
        self._packages.append({**made, "CreationTime": time.time()})
        return {"ModelPackageArn": arn}

    def _describe_package(self, asked: Message) -> Message:
        return self._package(asked["ModelPackageName"])

    def _list_packages(self, asked: Message) -> Message:
        group = asked["ModelPackageGroupName"]
        return {
            "ModelPackageSummaryList": [
                p for p in self._packages if p["ModelPackageGroupName"] == group
            ]
        }

    def _update_package(self, asked: Message) -> Message:
        package = self._package(asked["ModelPackageArn"])
        package.update(asked)
        return {"ModelPackageArn": package["ModelPackageArn"]}

    def _package(self, arn: str) -> Message:
        return _named({package["ModelPackageArn"]: package for package in self._packages}, arn)

    def _create_model(self, asked: Message) -> Message:
        return self._create(self.models, "Model", asked)

    def _list_models(self, asked: Message) -> Message:
        part = asked.get("NameContains", "")
        return {"Models": [{"ModelName": name} for name in self.models if part in name]}

    def _create_config(self, asked: Message) -> Message:
        variants = asked["ProductionVariants"]
        shadows = asked.get("ShadowProductionVariants", [])
        if shadows and (len(variants) > 1 or len(shadows) > 1):
            raise ApiError("There is one production variant at most where there is a shadow")
        if not sum(variant["InitialVariantWeight"] for variant in variants):
            raise ApiError("At least one weight must be more than 0")
        for variant in [*variants, *shadows]:
            _named(self.models, variant["ModelName"])
        return self._create(self.configs, "EndpointConfig", asked)

    def _create(self, kept: dict[str, Message], kind: str, asked: Message) -> Message:
        name = asked[f"{kind}Name"]
        if name in kept:
            raise ApiError(f"{kind} {name!r} exists already")
        arn = f"{ARN}:{kind.lower()}/{name}"
        self._tags[arn] = asked.pop("Tags", [])
        kept[name] = {**asked, f"{kind}Arn": arn, "CreationTime": time.time()}
        return {f"{kind}Arn": arn}


def _named(kept: dict[str, Message], name: str) -> Message:
    if name not in kept:
        raise ApiError(f"Could not find {name!r}")
    return kept[name]
