"""The features: every view, its order of columns and their types, in one place.

This module is the contract. The Flink jobs write these columns, the Feast views are
generated from them (``views.py``), the training set and the gateway read them by these names.
It imports nothing but numpy, so a Flink worker and the gateway load it in milliseconds.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np

TEXT_BYTES = 16
"""Widest text value a row holds, in UTF-8 bytes: an H3 cell is 15, a status at most 9."""


class Kind(StrEnum):
    """The types a feature may have, by their Feast names."""

    FLOAT32 = "Float32"
    FLOAT64 = "Float64"
    INT32 = "Int32"
    INT64 = "Int64"
    BOOL = "Bool"
    STRING = "String"
    TIMESTAMP = "UnixTimestamp"


NUMPY_DTYPES: dict[Kind, str] = {
    Kind.FLOAT32: "<f4",
    Kind.FLOAT64: "<f8",
    Kind.INT32: "<i4",
    Kind.INT64: "<i8",
    Kind.BOOL: "?",
    Kind.STRING: f"S{TEXT_BYTES}",
    Kind.TIMESTAMP: "<i8",  # microseconds since the epoch, UTC
}


class ServiceType(StrEnum):
    """What a driver asks for. The order is the code in the model's ``service_code``."""

    TOW = "tow"
    JUMP_START = "jump_start"
    TIRE_CHANGE = "tire_change"
    LOCKOUT = "lockout"
    FUEL = "fuel"
    WINCH = "winch"


SERVICE_CODES: dict[str, int] = {service.value: code for code, service in enumerate(ServiceType)}


class ProviderStatus(StrEnum):
    """What a provider says of itself on ``provider-availability``."""

    AVAILABLE = "available"
    EN_ROUTE = "en_route"
    ON_SCENE = "on_scene"
    OFFLINE = "offline"


@dataclass(frozen=True)
class Column:
    """One feature of a view: its name, its type and what it means, with its unit."""

    name: str
    kind: Kind
    description: str


@dataclass(frozen=True)
class ViewSchema:
    """One feature view.

    Attributes:
        name: The Feast view's name, and the hash field of its row in Redis.
        join_keys: The entity's columns, in Feast's (sorted) order.
        columns: The features, in the order in which a row stores them.
        max_age_s: Beyond this age a value may not be used as current; None where age is days.
        ttl_s: How far back historical retrieval looks for a row.
        observed_at: The feature that repeats event_timestamp; the row's writer fills it in.
        judged_by: The feature that max_age_s applies to, where that is not observed_at.
    """

    name: str
    join_keys: tuple[str, ...]
    columns: tuple[Column, ...]
    max_age_s: float | None
    ttl_s: float
    observed_at: str | None = None
    judged_by: str | None = None

    @property
    def age_feature(self) -> str | None:
        """The timestamp from which the age of the view's values counts."""
        return self.judged_by or self.observed_at

    @cached_property
    def column_names(self) -> tuple[str, ...]:
        """The features' names, in row order."""
        return tuple(column.name for column in self.columns)

    @cached_property
    def values_dtype(self) -> np.dtype[np.void]:
        """The packed little-endian layout of one row's values."""
        return np.dtype([(c.name, NUMPY_DTYPES[c.kind]) for c in self.columns])

    @cached_property
    def fingerprint(self) -> int:
        """64 bits that change whenever a name, a type or the order changes."""
        # The kind as well: two kinds that are stored alike do not mean the same.
        text = ";".join(f"{c.name}:{c.kind}:{NUMPY_DTYPES[c.kind]}" for c in self.columns)
        digest = hashlib.blake2b(f"{self.name}|{text}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "little")

    def column(self, name: str) -> Column:
        """Return one column.

        Raises:
            KeyError: The view has no such feature.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"view {self.name!r} has no feature {name!r}; it has {self.column_names}")


def _observed_at(prefix: str) -> Column:
    return Column(
        f"{prefix}_observed_at",
        Kind.TIMESTAMP,
        "Newest event inside the row: event_timestamp as a feature, so that an age is computed "
        "the same way from historical retrieval and from the online store.",
    )


PROVIDER_MOTION = ViewSchema(
    name="provider_motion",
    join_keys=("provider_id",),
    columns=(
        _observed_at("motion"),
        Column("lat", Kind.FLOAT64, "Latitude of the newest fix, degrees."),
        Column("lon", Kind.FLOAT64, "Longitude of the newest fix, degrees."),
        Column("heading_deg", Kind.FLOAT32, "Heading of the newest fix, degrees from north."),
        Column("speed_mean_kph", Kind.FLOAT32, "Mean speed over 2 min, km/h."),
        Column("speed_max_kph", Kind.FLOAT32, "Highest speed over 2 min, km/h."),
        Column("distance_km", Kind.FLOAT32, "Distance between successive fixes over 2 min, km."),
        Column("ping_count", Kind.INT32, "Fixes received over 2 min."),
        Column("moving_share", Kind.FLOAT32, "Share of fixes over 2 min faster than 5 km/h."),
        Column("h3_cell", Kind.STRING, "H3 cell (resolution 7) of the newest fix."),
    ),
    max_age_s=120.0,
    ttl_s=3600.0,
    observed_at="motion_observed_at",
)

PROVIDER_AVAILABILITY = ViewSchema(
    name="provider_availability",
    join_keys=("provider_id",),
    columns=(
        _observed_at("availability"),
        Column("status", Kind.STRING, "One of available, en_route, on_scene, offline."),
        Column("active_jobs", Kind.INT32, "Jobs in hand."),
        Column("free_capacity", Kind.INT32, "Trucks free: capacity less active jobs, at least 0."),
        Column(
            "status_reported_at",
            Kind.TIMESTAMP,
            "When the provider itself last told its state: an offer or an answer makes the row "
            "newer, but not the status.",
        ),
        Column("status_since", Kind.TIMESTAMP, "When the present status began."),
        Column("shift_end", Kind.TIMESTAMP, "When the shift ends."),
        Column("offers_30m", Kind.INT32, "Offers received over 30 min."),
        Column("accepts_30m", Kind.INT32, "Offers accepted over 30 min."),
        Column("declines_30m", Kind.INT32, "Offers declined over 30 min."),
        Column("offers_1h", Kind.INT32, "Offers received over 1 h."),
        Column("accepts_1h", Kind.INT32, "Offers accepted over 1 h."),
        Column("declines_1h", Kind.INT32, "Offers declined over 1 h."),
    ),
    max_age_s=120.0,
    ttl_s=4 * 3600.0,
    observed_at="availability_observed_at",
    judged_by="status_reported_at",
)

CELL_CONDITIONS = ViewSchema(
    name="cell_conditions",
    join_keys=("cell",),
    columns=(
        _observed_at("conditions"),
        Column("precip_mm_h", Kind.FLOAT32, "Mean precipitation over 5 min, mm/h."),
        Column("snow_cm", Kind.FLOAT32, "Highest snow depth over 5 min, cm."),
        Column("temp_c", Kind.FLOAT32, "Mean temperature over 5 min, degrees C."),
        Column("visibility_km", Kind.FLOAT32, "Lowest visibility over 5 min, km."),
        Column("wind_kph", Kind.FLOAT32, "Highest wind over 5 min, km/h."),
        Column("alert_level", Kind.INT32, "Highest weather alert over 5 min, 0 to 4."),
        Column("speed_ratio_mean", Kind.FLOAT32, "Mean of actual over free-flow speed, 5 min."),
        Column(
            "speed_ratio_trend",
            Kind.FLOAT32,
            "Mean speed ratio of the newer half of the window less that of the older half.",
        ),
        Column("incidents", Kind.INT32, "Most incidents reported at once over 5 min."),
        Column("closures", Kind.INT32, "Most closures reported at once over 5 min."),
    ),
    max_age_s=120.0,
    ttl_s=3600.0,
    observed_at="conditions_observed_at",
)

CELL_DEMAND = ViewSchema(
    name="cell_demand",
    join_keys=("cell",),
    columns=(
        _observed_at("demand"),
        Column("requests_15m", Kind.INT32, "Requests for help over 15 min."),
        Column("requests_60m", Kind.INT32, "Requests for help over 60 min."),
        Column(
            "open_requests",
            Kind.INT32,
            "Requests of the last 60 min neither completed nor cancelled, at least 0.",
        ),
    ),
    max_age_s=None,  # a quiet cell makes no rows: no row means no request, not a stale one
    ttl_s=3600.0,
    observed_at="demand_observed_at",
)

HISTORY_DAYS = (7, 30, 90)
_HISTORY_METRICS: tuple[tuple[str, str], ...] = (
    ("acceptance_rate", "Offers accepted over offers made"),
    ("completion_rate", "Jobs completed over jobs accepted"),
    ("eta_error_mean_min", "Mean of arrival less promised ETA, minutes,"),
    ("eta_error_p90_min", "90th percentile of arrival less promised ETA, minutes,"),
    ("cancel_rate", "Jobs cancelled over jobs accepted"),
    ("satisfaction", "Mean satisfaction, 1 to 5,"),
    ("jobs", "Jobs accepted"),
)

PROVIDER_HISTORY = ViewSchema(
    name="provider_history",
    join_keys=("provider_id", "service"),
    columns=tuple(
        Column(f"{metric}_{days}d", Kind.FLOAT32, f"{meaning} over {days} days.")
        for days in HISTORY_DAYS
        for metric, meaning in _HISTORY_METRICS
    ),
    max_age_s=None,
    ttl_s=3 * 86400.0,
)

PROVIDER_PROFILE = ViewSchema(
    name="provider_profile",
    join_keys=("provider_id",),
    columns=(
        Column("base_lat", Kind.FLOAT64, "Latitude of the base, degrees."),
        Column("base_lon", Kind.FLOAT64, "Longitude of the base, degrees."),
        Column("radius_km", Kind.FLOAT32, "How far from the base the contract reaches, km."),
        Column("contract_tier", Kind.INT32, "1 (preferred) to 3 (spillover only)."),
        Column("cost_per_job_usd", Kind.FLOAT32, "Contracted price of a job, US dollars."),
        Column(
            "max_vehicle_class", Kind.INT32, "Heaviest class served: 1 light, 2 medium, 3 heavy."
        ),
        *(
            Column(
                f"can_{service.value}", Kind.BOOL, f"Whether the provider offers {service.value}."
            )
            for service in ServiceType
        ),
    ),
    max_age_s=None,
    ttl_s=366 * 86400.0,
)

VIEWS: dict[str, ViewSchema] = {
    view.name: view
    for view in (
        PROVIDER_MOTION,
        PROVIDER_AVAILABILITY,
        CELL_CONDITIONS,
        CELL_DEMAND,
        PROVIDER_HISTORY,
        PROVIDER_PROFILE,
    )
}
STREAM_VIEWS = (PROVIDER_MOTION, PROVIDER_AVAILABILITY, CELL_CONDITIONS, CELL_DEMAND)
BATCH_VIEWS = (PROVIDER_HISTORY, PROVIDER_PROFILE)

H3_RESOLUTION = 7
"""Cells of about 5 km2: the unit of weather, traffic and demand."""
