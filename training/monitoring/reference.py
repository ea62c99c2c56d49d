"""What a bundle's features looked like: written with the bundle, compared with what is served.

The reference has the same selection as the log. The log keeps the features of the providers that
an answer shows, so the reference is what this model would have shown: of the test events whose
candidates are all known, those it puts first. Offered candidates would not do: a better ranker
than the one that made the offers shows other providers, and that would count as drift.
"""

from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd

from feature_repo.bundle_manifest import REFERENCE_NAME
from feature_repo.model_matrix import MODEL_FEATURES
from training.errors import DataError
from training.files import read_frame
from training.monitoring.feeds import FEEDS, repeat_share

SAMPLE_NAME = "reference_sample.parquet"
QUANTILES = (0.01, 0.05, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 0.95, 0.99)
SHOWN = 5
"""Providers that an answer shows unless it is asked for more."""
ROW_KEYS = ["event_id", "provider_id", "request_ts", "cell"]


class FeatureReference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One feature: mean and quantiles of the known values, and the share that was unknown."""

    mean: float | None
    missing_share: float
    quantiles: dict[str, float] | None


class Reference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of ``reference.json``.

    Attributes:
        features: Each model feature, in order.
        repeat_share: Each feed's share of readings that repeat the one before, see ``feeds``; None
            where the archive had no two readings of one cell.
    """

    features: dict[str, FeatureReference]
    repeat_share: dict[str, float | None]


@dataclass(frozen=True)
class BundleReference:
    """The reference of a bundle: its statistics, and the rows that they are of."""

    statistics: Reference
    sample: pd.DataFrame


def as_served(frame: pd.DataFrame, scores: npt.NDArray[np.float64]) -> pd.DataFrame:
    """Return the rows that a model would have shown: ``ROW_KEYS`` and features.

    Args:
        frame: A training set.
        scores: The ranker's score of each of its rows.

    Raises:
        DataError: The set has no event with all its candidates.
    """
    scored = frame.assign(score=scores)
    whole = scored.loc[scored["grade"].isna(), "event_id"].unique()
    if not len(whole) or "cell" not in frame:
        raise DataError(
            "the training set has no event with all its candidates, or no cells: make it again "
            "with `python -m training.dataset`"
        )
    rows = scored[scored["event_id"].isin(whole)]
    ranked = rows.sort_values(["event_id", "score"], ascending=[True, False], kind="stable")
    shown = ranked.groupby("event_id", sort=False).head(SHOWN)
    return shown[[*ROW_KEYS, *MODEL_FEATURES]].reset_index(drop=True)


def statistics(sample: pd.DataFrame, frame: pd.DataFrame) -> Reference:
    """Return what is known of a sample, and how often feeds repeat themselves in a whole set."""
    shares = {feed: repeat_share(frame, names)[0] for feed, names in FEEDS.items()}
    return Reference(
        features={name: _feature(sample[name].to_numpy(np.float64)) for name in MODEL_FEATURES},
        repeat_share={
            feed: share if np.isfinite(share) else None for feed, share in shares.items()
        },
    )


def save(sample: pd.DataFrame, frame: pd.DataFrame, directory: Path) -> None:
    """Write ``reference.json`` and the sample that it describes to a bundle's directory."""
    encoded = msgspec.json.encode(statistics(sample, frame))
    (directory / REFERENCE_NAME).write_bytes(msgspec.json.format(encoded, indent=1))
    sample.to_parquet(directory / SAMPLE_NAME, index=False)


def load(directory: Path) -> BundleReference:
    """Read a bundle's reference.

    Raises:
        DataError: It is not there, or was made by another version of this code.
    """
    remedy = "train the bundle again with `python -m training.run`"
    path = directory / REFERENCE_NAME
    try:
        known = msgspec.json.decode(path.read_bytes(), type=Reference)
    except (OSError, msgspec.DecodeError) as error:
        raise DataError(f"{path} cannot be read ({error}); {remedy}") from error
    if tuple(known.features) != MODEL_FEATURES:
        raise DataError(f"{path} is of another feature list than this code's; {remedy}")
    return BundleReference(known, read_frame(directory / SAMPLE_NAME, f"a new bundle; {remedy}"))


def _feature(values: npt.NDArray[np.float64]) -> FeatureReference:
    known = values[np.isfinite(values)]
    if not len(known):
        return FeatureReference(mean=None, missing_share=1.0, quantiles=None)
    pairs = zip(QUANTILES, np.quantile(known, QUANTILES), strict=True)
    return FeatureReference(
        mean=float(known.mean()),
        missing_share=float(1 - len(known) / len(values)),
        quantiles={str(q): float(value) for q, value in pairs},
    )
