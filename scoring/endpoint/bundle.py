"""Loads a bundle's directory into a ``Scorer``, or says why it may not serve."""

from pathlib import Path

import msgspec
from catboost import CatBoost, CatBoostError

from feature_repo import bundle_manifest
from feature_repo.bundle_manifest import BundleManifest
from feature_repo.model_matrix import MODEL_FEATURES
from scoring.endpoint.errors import BundleError
from scoring.endpoint.scorer import Scorer

_TRAINING_PARAMETERS = "params"


def load_scorer(directory: Path) -> Scorer:
    """Load the bundle in a directory.

    Raises:
        BundleError: A file is missing or unreadable, or the bundle or one of its models was
            trained on another feature list than this code's.
        UnsupportedModelError: The ranker's contributions cannot be computed exactly.
    """
    manifest = bundle_manifest.load(directory)
    _check_features(manifest, directory)
    models = {
        role: _load_model(directory / name, role, manifest)
        for role, name in msgspec.structs.asdict(manifest.models).items()
    }
    return Scorer(manifest, models)


def _check_features(manifest: BundleManifest, directory: Path) -> None:
    if manifest.features == MODEL_FEATURES:
        return
    pairs = zip(manifest.features, MODEL_FEATURES, strict=False)
    differing = [i for i, (ours, theirs) in enumerate(pairs) if ours != theirs]
    position = differing[0] if differing else min(len(manifest.features), len(MODEL_FEATURES))
    raise BundleError(
        f"{directory / bundle_manifest.MANIFEST_NAME}: features differ from this code's list from "
        f"position {position} on ({len(manifest.features)} names, the code has "
        f"{len(MODEL_FEATURES)}); train the bundle again with this code"
    )


def _load_model(path: Path, role: str, manifest: BundleManifest) -> CatBoost:
    model = CatBoost()
    try:
        model.load_model(str(path))
    except CatBoostError as error:
        reason = str(error).strip().splitlines()[-1]
        raise BundleError(
            f"{path}: the {role} model cannot be read ({reason}); copy the bundle again"
        ) from error
    names = tuple(model.feature_names_)
    unnamed = tuple(str(index) for index in range(len(manifest.features)))
    if names not in (manifest.features, unnamed):
        raise BundleError(
            f"{path}: the {role} model was trained on {len(names)} features that are not the "
            f"bundle's {len(manifest.features)}; train the bundle again with this code"
        )
    _forget_training(model)
    return model


def _forget_training(model: CatBoost) -> None:
    """Drop the training's parameters, JSON that CatBoost parses again in every ``predict``.

    For a few hundred rows that is more than half of the time. Raw scores do not depend on it.
    """
    metadata = model.get_metadata()
    if _TRAINING_PARAMETERS in metadata:
        del metadata[_TRAINING_PARAMETERS]
