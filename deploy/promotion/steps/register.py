"""Puts a bundle into the registry, if its offline evaluation passes the gate."""

import tempfile
from pathlib import Path

import msgspec

from deploy.archives import PackageError
from deploy.names import MODEL_PACKAGE_GROUP
from deploy.package_model import package
from deploy.promotion import gates
from deploy.promotion.context import Context
from deploy.promotion.evidence import evaluation
from deploy.promotion.failures import RefusedError, refuse_for
from deploy.promotion.operator import Plan


def register(context: Context, bundle: Path, report: Path, to: str, image: str | None) -> None:
    """Upload a bundle's archive and evaluation, and register a version nobody has approved.

    The pipeline registers what it has trained by itself, in the same form; this is for a bundle
    that was trained elsewhere.

    Args:
        context: The services, the person and the limits.
        bundle: The bundle's directory.
        report: Its ``evaluation.json``, by ``python -m training.steps.evaluate``.
        to: Where archives are kept, an S3 URI.
        image: The container; None is that of the model in production.

    Raises:
        RefusedError: There is no bundle or no evaluation of it, or the offline gate fails.
    """
    with tempfile.TemporaryDirectory() as directory:
        archive = Path(directory, "model.tar.gz")
        try:
            version, content = package(bundle, archive), report.read_bytes()
            found = evaluation(content)
        except (PackageError, OSError, msgspec.DecodeError) as error:
            raise RefusedError(f"register: {error}") from error
        if found.version != version:
            raise RefusedError(f"register: {report} is of {found.version!r}, not of {version!r}")
        refuse_for(gates.offline(found, context.limits))
        for known in context.registry.packages():
            if known.bundle_version == version:
                context.operator.say(f"done: bundle {version} is version {known.version}")
                return
        container = image or context.registry.image_of(context.endpoint.serving().production.model)
        place = f"{to.rstrip('/')}/{version}"
        context.operator.agree(
            Plan(
                [
                    f"upload bundle {version} to {place}/model.tar.gz, evaluation.json beside it",
                    f"register it in {MODEL_PACKAGE_GROUP}, to run in {container}; not approved",
                ],
                "python -m deploy.promotion reject --version N",
            )
        )
        data, told = f"{place}/model.tar.gz", f"{place}/evaluation.json"
        context.storage.write(data, archive.read_bytes())
        context.storage.write(told, content)
        made = context.registry.add(container, data, told, version)
    context.operator.say(f"done: version {made.version} is {made.status}")
