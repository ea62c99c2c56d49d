"""What a model bundle says of itself: ``bundle.json``, written by training, read by the endpoint.

A bundle is one directory: ``bundle.json``, the CatBoost files that it names, ``reference.json``
(what the features look like as this model serves them) with the sample of rows that it describes,
and ``model_card.md``. The module stands here because
training and scoring may not import each other.
"""

from pathlib import Path

import msgspec

from feature_repo.model_matrix import MODEL_FINGERPRINT

MANIFEST_NAME = "bundle.json"
REFERENCE_NAME = "reference.json"
MODEL_CARD_NAME = "model_card.md"


class BundleError(ValueError):
    """A bundle is missing, unreadable or made for another feature list; the message says which."""


class Calibration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Chance of success = ``numpy.interp(raw classifier probability, x, y)``; x ascends."""

    x: tuple[float, ...]
    y: tuple[float, ...]


class ModelFiles(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The CatBoost files, relative to the bundle's directory."""

    ranker: str = "ranker.cbm"
    eta_p50: str = "eta_p50.cbm"
    eta_p90: str = "eta_p90.cbm"
    success: str = "success.cbm"


class BundleManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of ``bundle.json``.

    Attributes:
        version: Derived from the models, the calibration and the feature list: the same data and
            the same seed give the same version.
        created_at: When it was made, ISO 8601, UTC.
        seed: The seed of the training run.
        features: The columns of the model matrix, in order.
        features_fingerprint: ``model_matrix.MODEL_FINGERPRINT`` of the code that trained it.
        metrics: What evaluation measured, by name; the model card says what each means.
        calibration: From raw classifier probability to chance of success.
        models: The model files.
    """

    version: str
    created_at: str
    seed: int
    features: tuple[str, ...]
    features_fingerprint: str
    metrics: dict[str, float]
    calibration: Calibration
    models: ModelFiles


def load(directory: Path) -> BundleManifest:
    """Read and check the manifest of the bundle in a directory.

    Raises:
        BundleError: There is no bundle, it is broken, a model file is missing, or it was trained
            on another feature list than this code's.
    """
    path = directory / MANIFEST_NAME
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=BundleManifest)
    except FileNotFoundError as error:
        raise BundleError(
            f"no model bundle at {directory}: {MANIFEST_NAME} is missing; "
            f"make one with `python -m training.run --bundle {directory}`"
        ) from error
    except (msgspec.DecodeError, OSError) as error:
        raise BundleError(f"{path} cannot be read ({error}); train the bundle again") from error
    _check(manifest, directory)
    return manifest


def save(manifest: BundleManifest, directory: Path) -> Path:
    """Write the manifest last, so that a directory with ``bundle.json`` is a whole bundle.

    Returns:
        The path written.

    Raises:
        BundleError: The manifest names a file that is not in the directory, or does not fit.
    """
    _check(manifest, directory)
    path = directory / MANIFEST_NAME
    part = path.with_suffix(".part")
    part.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
    return part.replace(path)


def _check(manifest: BundleManifest, directory: Path) -> None:
    if manifest.features_fingerprint != MODEL_FINGERPRINT:
        raise BundleError(
            f"{directory / MANIFEST_NAME}: features_fingerprint is "
            f"{manifest.features_fingerprint!r}, this code's is {MODEL_FINGERPRINT!r}: the bundle "
            "was trained on another feature list; train it again with this code"
        )
    calibration = manifest.calibration
    if len(calibration.x) != len(calibration.y) or len(calibration.x) < 2:
        raise BundleError(
            f"{directory / MANIFEST_NAME}: calibration has {len(calibration.x)} x and "
            f"{len(calibration.y)} y; it needs as many of each, at least 2; train it again"
        )
    if list(calibration.x) != sorted(calibration.x):
        raise BundleError(
            f"{directory / MANIFEST_NAME}: calibration.x does not ascend; train it again"
        )
    for role, name in msgspec.structs.asdict(manifest.models).items():
        if not (directory / name).is_file():
            raise BundleError(
                f"{directory}: models.{role} names {name!r}, which is not there; "
                "copy the whole bundle directory, or train it again"
            )
