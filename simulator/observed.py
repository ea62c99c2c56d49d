"""What the jobs would know: the rows of the four stream views, as of any recent moment.

It takes what the world reports, not what is true, and keeps the windows of the Flink jobs, so that
a policy can be played, and long histories made, without Flink. The jobs' own definition is SQL in
``flink_jobs``; a test holds both equal to the same plain one.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from flink_jobs.event_schemas import AvailabilityEvent, DispatchEvent
from simulator.case import Event
from simulator.fleet import STATUSES
from simulator.luck import Ints
from simulator.observed_availability import ObservedAvailability
from simulator.observed_conditions import ObservedConditions
from simulator.observed_demand import ObservedDemand
from simulator.observed_motion import ObservedMotion
from simulator.observed_windows import Rows
from simulator.reports import Columns, Intervals, Reports

MOTION, AVAILABILITY = "provider_motion", "provider_availability"
CONDITIONS, DEMAND = "cell_conditions", "cell_demand"


@dataclass(frozen=True)
class ObservedView:
    """A stream view as ``feature_repo/schema.py`` declares it: its key, TTL, columns and types."""

    join_key: str
    ttl_s: float
    kinds: dict[str, str]


def _of_kind(kind: str, *names: str) -> dict[str, str]:
    return dict.fromkeys(names, kind)


OBSERVED_VIEWS: dict[str, ObservedView] = {
    MOTION: ObservedView(
        "provider_id",
        3600.0,
        _of_kind("UnixTimestamp", "motion_observed_at")
        | _of_kind("Float64", "lat", "lon")
        | _of_kind("Float32", "heading_deg", "speed_mean_kph", "speed_max_kph", "distance_km")
        | _of_kind("Int32", "ping_count")
        | _of_kind("Float32", "moving_share")
        | _of_kind("String", "h3_cell"),
    ),
    AVAILABILITY: ObservedView(
        "provider_id",
        4 * 3600.0,
        _of_kind("UnixTimestamp", "availability_observed_at")
        | _of_kind("String", "status")
        | _of_kind("Int32", "active_jobs", "free_capacity")
        | _of_kind("UnixTimestamp", "status_reported_at", "status_since", "shift_end")
        | _of_kind("Int32", "offers_30m", "accepts_30m", "declines_30m")
        | _of_kind("Int32", "offers_1h", "accepts_1h", "declines_1h"),
    ),
    CONDITIONS: ObservedView(
        "cell",
        3600.0,
        _of_kind("UnixTimestamp", "conditions_observed_at")
        | _of_kind("Float32", "precip_mm_h", "snow_cm", "temp_c", "visibility_km", "wind_kph")
        | _of_kind("Int32", "alert_level")
        | _of_kind("Float32", "speed_ratio_mean", "speed_ratio_trend")
        | _of_kind("Int32", "incidents", "closures"),
    ),
    DEMAND: ObservedView(
        "cell",
        3600.0,
        _of_kind("UnixTimestamp", "demand_observed_at")
        | _of_kind("Int32", "requests_15m", "requests_60m", "open_requests"),
    ),
}


@dataclass(frozen=True)
class Slides:
    """Seconds from one window of a view to its next, as the jobs have them by default."""

    motion_s: float = 15.0
    conditions_s: float = 60.0
    demand_s: float = 60.0


class Observed:
    """The newest reports of one metro, and the rows that the jobs would make of them."""

    def __init__(
        self,
        provider_ids: tuple[str, ...],
        cells: tuple[str, ...],
        intervals: Intervals,
        slides: Slides = Slides(),
        tick_s: float = 15.0,
    ) -> None:
        """Begin with nothing reported.

        Args:
            provider_ids: The metro's providers.
            cells: The metro's cells.
            intervals: How often they report.
            slides: Of the jobs' windows.
            tick_s: The longest step of the world: what is asked may be as old.
        """
        self._providers = {id_: index for index, id_ in enumerate(provider_ids)}
        self._cells = {name: index for index, name in enumerate(cells)}
        self._motion = ObservedMotion(len(provider_ids), intervals.gps_s, slides.motion_s, tick_s)
        self._availability = ObservedAvailability(len(provider_ids))
        self._conditions = ObservedConditions(
            len(cells), intervals.conditions_s, slides.conditions_s, tick_s
        )
        self._demand = ObservedDemand(slides.demand_s)

    def take_event(self, event: Event) -> None:
        """Take a step of a request, or what a provider says of itself with it."""
        if isinstance(event, DispatchEvent):
            self._demand.take(event.cell, event.event_id, event.kind, event.ts)
            if event.provider_id is not None:
                provider = self._providers[event.provider_id]
                self._availability.take_step(provider, event.kind, event.ts)
        elif isinstance(event, AvailabilityEvent):
            values = {
                "status": np.array([STATUSES.index(event.status)]),
                "active_jobs": np.array([event.active_jobs]),
                "capacity": np.array([event.capacity]),
                "shift_end_ts": np.array([event.shift_end_ts]),
            }
            who = np.array([self._providers[event.provider_id]])
            self._availability.take(Columns(who, event.ts, values))

    def take_availability(self, said: Columns) -> None:
        """Take what providers say of themselves at the end of a tick."""
        self._availability.take(said)

    def take_reports(self, reports: Reports) -> None:
        """Take the fixes, the weather and the traffic of a tick."""
        self._motion.take(reports.gps)
        self._conditions.take(reports.weather, reports.traffic)

    def provider_rows(self, view: str, providers: Ints, as_of_ms: Ints) -> Rows:
        """Return providers' newest rows of a view as of some times, int64 [n] epoch ms."""
        if view == MOTION:
            return self._motion.as_of(providers, as_of_ms)
        return self._availability.as_of(providers, as_of_ms)

    def cell_rows(self, view: str, cells: list[str], as_of_ms: Ints) -> Rows:
        """Return cells' newest rows of a view as of some times, int64 [n] epoch ms."""
        if view == DEMAND:
            return self._demand.as_of(cells, as_of_ms)
        known = np.array([self._cells.get(cell, -1) for cell in cells])
        rows = self._conditions.as_of(np.maximum(known, 0), as_of_ms)
        return _only(rows, known >= 0)  # nothing is reported of a cell beyond the metro's edge

    def as_of(self, candidates: Ints, cell: str, now_s: float) -> dict[str, npt.NDArray[Any]]:
        """Return what a reader of the views would get now.

        Args:
            candidates: Positions of providers, int64 [n].
            cell: The driver's.
            now_s: Epoch seconds; at most a tick ago.

        Returns:
            Each stored feature of the stream views by its full name (``view__feature``) to
            float64 [n] (moments in epoch microseconds) or S16 [n]; NaN or empty where nothing is
            known, or no longer within the view's TTL.
        """
        now_ms = round(now_s * 1000)
        times = np.full(len(candidates), now_ms)
        found: dict[str, npt.NDArray[Any]] = {}
        for view, declared in OBSERVED_VIEWS.items():
            if declared.join_key == "cell":
                rows = self.cell_rows(view, [cell], times[:1])
            else:
                rows = self.provider_rows(view, candidates, times)
            kept = _only(rows, rows.event_us >= (now_ms - 1000 * declared.ttl_s) * 1000)
            found |= {
                f"{view}__{name}": np.broadcast_to(column, len(candidates))
                for name, column in kept.columns.items()
            }
        return found


def _only(rows: Rows, there: npt.NDArray[np.bool_]) -> Rows:
    """Return the rows with nothing in place of some."""
    columns = {
        name: np.where(there, column, b"" if column.dtype.kind == "S" else np.nan)
        for name, column in rows.columns.items()
    }
    event_us, created_us = rows.event_us, rows.created_us
    return Rows(columns, np.where(there, event_us, np.nan), np.where(there, created_us, np.nan))
