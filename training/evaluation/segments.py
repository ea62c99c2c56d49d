"""The same metrics where it rains, at night, in each area: an average hides who is served badly."""

from dataclasses import dataclass

import h3
import numpy as np
import numpy.typing as npt
import pandas as pd

from feature_repo.schema import ServiceType
from training.evaluation.cases import Cases
from training.evaluation.intervals import Estimate, EventSums, estimates
from training.evaluation.measures import METRICS

FEWEST_EVENTS = 50
"""A segment of fewer is shown, but marked: its numbers move with a handful of drivers."""
_FEWEST_COUNTED = 20
"""A metric that fewer events of a segment tell of is never called worse."""
AREA_RESOLUTION = 4
"""H3 cells of about 1,770 km2: a metro has a few."""
HOURS_TOGETHER = 3
UNKNOWN = "unknown"
_COMPARABLE = [name for name in METRICS if name not in {"success_rate", "success_brier"}]
"""Not the Brier score: it is worst where success is a coin's throw, whatever the model."""
_CLASSES = {1: "light", 2: "medium", 3: "heavy"}
_LEAST_RAIN_MM_H, _LEAST_SNOW_CM = 0.1, 0.5

Texts = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Segment:
    """One segment's metrics.

    Attributes:
        dimension: What the events are told apart by.
        name: Which of them these are.
        events: How many.
        measured: Each metric of the model with its interval.
        worse: Metrics whose whole interval is worse than the value over all events; none of a
            small segment, whose interval is too narrow.
    """

    dimension: str
    name: str
    events: int
    measured: dict[str, Estimate]
    worse: tuple[str, ...]

    @property
    def small(self) -> bool:
        """Whether it has too few events to conclude anything."""
        return self.events < FEWEST_EVENTS


def measure(
    cases: Cases, sums: EventSums, overall: dict[str, Estimate], seed: int
) -> list[Segment]:
    """Return every segment, by dimension, within it the lowest NDCG@1 first."""
    found = [
        _segment((dimension, str(name)), sums.of_events(labels == name), overall, seed)
        for dimension, labels in dimensions(cases).items()
        for name in np.unique(labels)
    ]
    order = list(dict.fromkeys(segment.dimension for segment in found))
    return sorted(found, key=lambda segment: (order.index(segment.dimension), _badness(segment)))


def dimensions(cases: Cases) -> dict[str, Texts]:
    """Return for each dimension the segment of each event, text [E]."""
    first = cases.rows.iloc[cases.first_rows]
    return {
        "metro": first["provider_id"].str.split("-").str[0].to_numpy(dtype=object),
        "area (H3)": _areas(first["cell"]),
        "weather": _weather(first),
        "service": _services(first["service"]),
        "vehicle class": _named(first["request_time__vehicle_class_code"], _CLASSES),
        "solar hour": _hours(first["request_time__hour_of_day"]),
    }


def _areas(cells: pd.Series) -> Texts:
    parents = {name: h3.cell_to_parent(name, AREA_RESOLUTION) for name in cells.unique()}
    return cells.map(parents).to_numpy(dtype=object)


def _weather(first: pd.DataFrame) -> Texts:
    rain = first["cell_conditions__precip_mm_h"].to_numpy(dtype=np.float64)
    snow = first["cell_conditions__snow_cm"].to_numpy(dtype=np.float64)
    alert = first["cell_conditions__alert_level"].to_numpy(dtype=np.float64)
    wintry = (snow >= _LEAST_SNOW_CM) | (alert >= 1)
    kinds = [np.isnan(rain), wintry, rain >= _LEAST_RAIN_MM_H]
    return np.select(kinds, [UNKNOWN, "snow or alert", "rain"], "dry").astype(object)


def _services(services: pd.Series) -> Texts:
    known = services.isin([service.value for service in ServiceType])
    return services.where(known, UNKNOWN).to_numpy(dtype=object)


def _named(codes: pd.Series, names: dict[int, str]) -> Texts:
    return codes.map(names).fillna(UNKNOWN).to_numpy(dtype=object)


def _hours(hours: pd.Series) -> Texts:
    starts = range(0, 24, HOURS_TOGETHER)
    names = {start: f"{start:02} to {start + HOURS_TOGETHER:02} h" for start in starts}
    return _named(hours // HOURS_TOGETHER * HOURS_TOGETHER, names)


def _segment(
    key: tuple[str, str], sums: EventSums, overall: dict[str, Estimate], seed: int
) -> Segment:
    measured = estimates(sums, seed)
    if len(sums.over) < FEWEST_EVENTS:
        return Segment(*key, len(sums.over), measured, ())
    counted = dict(zip(sums.names, (sums.under > 0).sum(axis=0), strict=True))
    told = [name for name in _COMPARABLE if counted[name] >= _FEWEST_COUNTED]
    worse = tuple(name for name in told if _is_worse(name, measured[name], overall[name].value))
    return Segment(*key, len(sums.over), measured, worse)


def _is_worse(name: str, found: Estimate, overall: float) -> bool:
    metric = METRICS[name]
    if metric.better > 0:
        return found.high < overall
    if metric.better < 0:
        return found.low > overall
    nearest = min(max(metric.aim, found.low), found.high)  # NaN for what has no aim
    return abs(nearest - metric.aim) > abs(overall - metric.aim)


def _badness(segment: Segment) -> tuple[bool, float]:
    value = segment.measured["ndcg_at_1"].value
    return bool(np.isnan(value)), value
