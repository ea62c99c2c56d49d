"""Puts a bundle into the registry, if what was measured of it offline passes the gate."""

import json
import tempfile
from pathlib import Path

from deploy.archives import PackageError
from deploy.names import MODEL_PACKAGE_GROUP
from deploy.package_model import MANIFEST, package
from deploy.promotion import gates
from deploy.promotion.context import Context
from deploy.promotion.failures import RefusedError, refuse_for
from deploy.promotion.operator import Plan


def register(context: Context, bundle: Path, to: str, image: str | None) -> None:
    """Upload a bundle's archive and metrics, and register them as a version nobody has approved.

    Args:
        context: The services, the person and the limits.
        bundle: The bundle's directory.
        to: Where archives are kept, an S3 URI.
        image: The container; None is that of the model in production.

    Raises:
        RefusedError: There is no bundle, or the offline gate fails.
    """
    with tempfile.TemporaryDirectory() as directory:
        archive = Path(directory, "model.tar.gz")
        try:
            version = package(bundle, archive)
        except PackageError as error:
            raise RefusedError(f"bundle: {error}") from error
        metrics = json.loads((bundle / MANIFEST).read_bytes()).get("metrics", {})
        refuse_for(gates.offline(metrics, context.limits))
        for known in context.registry.packages():
            if known.bundle_version == version:
                context.operator.say(f"done: bundle {version} is version {known.version}")
                return
        serves = image or context.registry.image_of(context.endpoint.serving().production.model)
        place = f"{to.rstrip('/')}/{version}"
        context.operator.agree(
            Plan(
                [
                    f"upload bundle {version} to {place}/model.tar.gz, and its metrics beside it",
                    f"register it in {MODEL_PACKAGE_GROUP}, to run in {serves}; not yet approved",
                ],
                "reject it: python -m deploy.promotion reject --version N",
            )
        )
        context.storage.write(f"{place}/model.tar.gz", archive.read_bytes())
        context.storage.write(f"{place}/metrics.json", json.dumps(metrics).encode())
        made = context.registry.add(
            serves, f"{place}/model.tar.gz", f"{place}/metrics.json", version
        )
    context.operator.say(f"done: version {made.version} is {made.status}")
