"""Served features against the bundle's reference, by feature and segment."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from feature_repo.model_matrix import MODEL_FEATURES
from training.monitoring import distributions, segments, units
from training.monitoring.findings import Finding, Kind, Severity
from training.monitoring.limits import Limits
from training.monitoring.reference import BundleReference
from training.monitoring.tables import tuples

DECILES = tuple(str(q) for q in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9))
_WORLD_PREFIXES = ("cell_conditions__", "cell_demand__", "provider_availability__offers",
                   "provider_availability__accepts", "provider_availability__declines")  # fmt: skip
_WORLD = {
    f"request_time__{name}"
    for name in (
        "hour_of_day",
        "day_of_week",
        "surge_ratio",
        "service_code",
        "vehicle_class_code",
        "promise_min",
        "minutes_to_shift_end",
        "demand_age_s",
        "eta_min",
        "eta_margin_min",
    )
}
_UNIT_EXPLAINS = 0.5
"""Share of the KS distance that must be gone when a unit is undone."""
_LEAST_VALUES = 50
COLUMNS = ["feature", "segment", "served", "reference", "psi", "psi_chance", "ks", "ks_chance",
           "missing", "missing_reference", "missing_chance", "unit", "unit_ks"]  # fmt: skip


def is_of_the_world(feature: str) -> bool:
    """Return whether weather, demand or the clock move a feature.

    A day is not like the days of training in these; their drift is told and stops nothing. What is
    wrong with their sources is found by skew, stuck feeds, missing values and ages.
    """
    return feature in _WORLD or feature.startswith(_WORLD_PREFIXES)


@dataclass(frozen=True)
class _Sizes:
    """Decisions of a segment. Rows of one decision are alike, so only decisions are counted as
    independent.
    """  # noqa: D205

    served: int
    reference: int
    level: float


def table(served: pd.DataFrame, reference: BundleReference, limits: Limits) -> pd.DataFrame:
    """Return PSI, KS and missing shares of each feature in each segment.

    Columns: ``feature, segment, served, reference`` (decisions), ``psi, psi_chance, ks, ks_chance,
    missing, missing_reference, missing_chance, unit, unit_ks``. ``*_chance`` is what chance alone
    reaches; PSI and KS are of the known values. Segments with too few decisions are left out.
    """
    sample = reference.sample
    judged = [
        (segment, ours, theirs, _sizes(served[ours], sample[theirs]))
        for segment, ours, theirs in segments.masks(served, sample)
    ]
    enough = [j for j in judged if min(j[3]) >= limits.least_decisions]
    level = limits.false_alarm / max(len(enough) * len(MODEL_FEATURES) * 3, 1)
    rows = [
        {
            "feature": name,
            "segment": segment,
            **_compare(
                name,
                served.loc[ours, name].to_numpy(dtype=np.float64),
                sample.loc[theirs, name].to_numpy(dtype=np.float64),
                _edges(reference, name),
                _Sizes(*sizes, level),
            ),
        }
        for segment, ours, theirs, sizes in enough
        for name in MODEL_FEATURES
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _sizes(served: pd.DataFrame, sample: pd.DataFrame) -> tuple[int, int]:
    return segments.decisions(served), segments.decisions(sample)


def _edges(reference: BundleReference, name: str) -> distributions.Floats:
    quantiles = reference.statistics.features[name].quantiles
    return np.unique([quantiles[q] for q in DECILES]) if quantiles else np.empty(0)


def _compare(
    name: str,
    served: distributions.Floats,
    reference: distributions.Floats,
    edges: distributions.Floats,
    sizes: _Sizes,
) -> dict[str, float | str]:
    ours, theirs = distributions.known(served), distributions.known(reference)
    missing = [1 - len(ours) / len(served), 1 - len(theirs) / len(reference)]
    found: dict[str, float | str] = {
        "served": sizes.served,
        "reference": sizes.reference,
        "missing": missing[0],
        "missing_reference": missing[1],
        "missing_chance": distributions.share_by_chance(
            float(np.mean(missing)), sizes.reference, sizes.served, sizes.level
        ),
        "unit": "",
        "unit_ks": np.nan,
    }
    if not len(ours) or not len(theirs):
        return found | dict.fromkeys(("psi", "psi_chance", "ks", "ks_chance"), np.nan)
    known = [max(round(n * (1 - m)), 1) for n, m in zip((sizes.served, sizes.reference), missing,
                                                        strict=True)]  # fmt: skip
    found |= {
        "psi": distributions.psi(theirs, ours, edges),
        "psi_chance": distributions.psi_by_chance(len(edges) + 1, known[1], known[0], sizes.level),
        "ks": distributions.ks(theirs, ours),
        "ks_chance": distributions.ks_by_chance(known[1], known[0], sizes.level),
    }
    return found | _unit(name, theirs, ours, sizes)


def _unit(
    name: str, reference: distributions.Floats, served: distributions.Floats, sizes: _Sizes
) -> dict[str, float | str]:
    """Return the unit that brings the served values back to the reference, if there is one.

    Zeros are left out: they are the same in every unit that is a multiple.
    """
    ours, theirs = served[served != 0], reference[reference != 0]
    choices = units.mistaken(name)
    if not choices or min(len(ours), len(theirs)) < _LEAST_VALUES:
        return {}
    now = distributions.ks(theirs, ours)
    after, unit = min((distributions.ks(theirs, unit.undone(ours)), unit.name) for unit in choices)
    chance = distributions.ks_by_chance(
        min(sizes.reference, len(theirs)), min(sizes.served, len(ours)), sizes.level
    )
    if now <= chance or after > _UNIT_EXPLAINS * now:
        return {}
    return {"unit": unit, "unit_ks": now}


def findings(found: pd.DataFrame, limits: Limits) -> list[Finding]:
    """Return what has moved, by feature and segment."""
    return [
        finding
        for row in tuples(found)
        for finding in (_unit_finding(row, limits), *_moved(row, limits), _missing(row, limits))
        if finding is not None
    ]


def _severity(feature: str) -> Severity:
    return Severity.TELL if is_of_the_world(feature) else Severity.STOP


def _unit_finding(row: Any, limits: Limits) -> Finding | None:
    if not row.unit or row.unit_ks <= limits.ks:
        return None
    return Finding(
        _severity(row.feature), Kind.UNIT, row.feature, row.segment, row.unit_ks, limits.ks,
        f"values other than 0 fit training if they are read as {row.unit}: KS {row.unit_ks:.2f} "
        "as they are",
    )  # fmt: skip


def _moved(row: Any, limits: Limits) -> list[Finding]:
    moved = []
    psi, ks = max(limits.psi, row.psi_chance), max(limits.ks, row.ks_chance)
    if row.psi > psi:
        moved.append((_severity(row.feature), Kind.PSI, row.psi, psi))
    elif row.segment == segments.ALL and row.psi > max(limits.psi_told, row.psi_chance):
        moved.append((Severity.TELL, Kind.PSI, row.psi, max(limits.psi_told, row.psi_chance)))
    if row.ks > ks:
        moved.append((_severity(row.feature), Kind.KS, row.ks, ks))
    said = f"over {row.served:,} decisions against {row.reference:,} of training"
    return [
        Finding(severity, kind, row.feature, row.segment, value, limit, said)
        for severity, kind, value, limit in moved
    ]


def _missing(row: Any, limits: Limits) -> Finding | None:
    more = row.missing - row.missing_reference
    limit = max(limits.missing_increase, row.missing_chance)
    if more <= limit:
        return None
    # a quiet cell has no demand row, and no row says that
    quiet = row.feature.startswith("cell_demand__") or row.feature == "request_time__demand_age_s"
    return Finding(
        Severity.TELL if quiet else Severity.STOP, Kind.MISSING, row.feature, row.segment, more,
        limit, f"{row.missing:.1%} unknown, in training {row.missing_reference:.1%}",
    )  # fmt: skip
