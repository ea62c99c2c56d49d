"""One directory with all that serving needs: ``python -m training.bundle``."""

import argparse
import hashlib
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from string import Template
from typing import TypeVar

import msgspec
import numpy as np
import pandas as pd

from feature_repo import bundle_manifest
from feature_repo.bundle_manifest import BundleManifest, Calibration, ModelFiles
from feature_repo.model_matrix import MODEL_FEATURES, MODEL_FINGERPRINT
from training import dataset, models
from training.errors import DataError, exit_on_errors
from training.files import CALIBRATION, METRICS, MODELS
from training.models import TrainedModels
from training.monitoring import reference
from training.selection import TRAIN

_Content = TypeVar("_Content")
_CARD = Template(Path(__file__).with_name("model_card.md.template").read_text(encoding="utf-8"))


def build(work: Path, directory: Path, seed: int, created_at: datetime | None = None) -> Path:
    """Make the bundle from what the earlier steps left in the work directory.

    It is made beside ``directory`` and put in its place whole: a reader finds the old bundle or
    the new one, never half of one.

    Returns:
        The bundle's directory.

    Raises:
        DataError: A step has not been run.
        BundleError: The bundle would not be one that serving accepts.
    """
    frame = dataset.read(work)
    calibration = _decode(work / MODELS / CALIBRATION, Calibration, "training.models")
    metrics = _decode(work / METRICS, dict[str, float], "training.evaluation")
    part = directory.with_name(f".{directory.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    files = ModelFiles()
    for name in msgspec.structs.astuple(files):
        shutil.copyfile(work / MODELS / name, part / name)
    manifest = BundleManifest(
        version=version(part, files, calibration),
        created_at=(created_at or datetime.now(UTC)).isoformat(timespec="seconds"),
        seed=seed,
        features=MODEL_FEATURES,
        features_fingerprint=MODEL_FINGERPRINT,
        metrics={name: value for name, value in metrics.items() if np.isfinite(value)},
        calibration=calibration,
        models=files,
    )
    trained_on = frame[(frame["split"] == TRAIN) & frame["grade"].notna()]
    scores = np.asarray(models.load(work).ranker.predict(models.matrix(frame)))
    reference.save(reference.as_served(frame, scores), frame, part)
    card = model_card(manifest, trained_on)
    (part / bundle_manifest.MODEL_CARD_NAME).write_text(card, encoding="utf-8")
    bundle_manifest.save(manifest, part)
    shutil.rmtree(directory, ignore_errors=True)
    return part.rename(directory)


def trained_models(directory: Path) -> TrainedModels:
    """Load the models of a bundle, as they were trained.

    Raises:
        BundleError: There is no bundle, or it is of another feature list.
    """
    manifest = bundle_manifest.load(directory)
    return models.read(directory, manifest.models, manifest.calibration)


def version(directory: Path, files: ModelFiles, calibration: Calibration) -> str:
    """Return 16 hex digits of what decides a score: models, calibration and feature list."""
    digest = hashlib.blake2b(MODEL_FINGERPRINT.encode(), digest_size=8)
    for name in sorted(msgspec.structs.astuple(files)):
        digest.update((directory / name).read_bytes())
    digest.update(msgspec.json.encode(calibration))
    return digest.hexdigest()


def model_card(manifest: BundleManifest, trained_on: pd.DataFrame) -> str:
    """Return the model card, Markdown."""
    rows = "\n".join(f"| {name} | {value:.4g} |" for name, value in manifest.metrics.items())
    return _CARD.substitute(
        version=manifest.version,
        created_at=manifest.created_at,
        seed=manifest.seed,
        offers=f"{len(trained_on):,}",
        events=f"{trained_on['event_id'].nunique():,}",
        first=f"{trained_on['request_ts'].min():%Y-%m-%d %H:%M}",
        last=f"{trained_on['request_ts'].max():%Y-%m-%d %H:%M}",
        features=len(manifest.features),
        metrics=rows,
    )


def _decode(path: Path, kind: type[_Content], step: str) -> _Content:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError as error:
        raise DataError(f"{path} isn't there; run `python -m {step}`") from error


def main(arguments: list[str] | None = None) -> int:
    """Run the step; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m training.bundle",
        description="Put models, calibration, reference and model card into one directory.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--work", type=Path, required=True, help="where models/ is")
    parser.add_argument("--bundle", type=Path, required=True, help="the bundle's directory")
    parser.add_argument("--seed", type=int, default=7, help="the seed that training was given")
    options = parser.parse_args(arguments)
    with exit_on_errors("training.bundle"):
        directory = build(options.work, options.bundle, options.seed)
        sys.stdout.write(f"{directory}: version {bundle_manifest.load(directory).version}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
