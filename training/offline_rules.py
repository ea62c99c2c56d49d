"""What the offline rows of a view must be like, as Great Expectations, from its schema."""

from typing import Any

from feature_repo.schema import HISTORY_DAYS, ProviderStatus, ServiceType, ViewSchema

FILE, DAY, EVENT_DAY = "file", "partition_day", "event_day"
"""Columns that the reader of the files adds: where a row lies, its partition, its event's day."""
Bounds = tuple[float | None, float | None]

_COUNT: Bounds = (0, None)
_DEGREES = {"lat": (-90.0, 90.0), "lon": (-180.0, 180.0)}
_COUNTED = ("offers", "accepts", "declines")
_BOUNDS: dict[str, dict[str, Bounds]] = {
    "provider_motion": {
        **_DEGREES,
        "heading_deg": (0, 360),
        "speed_mean_kph": (0, 250),
        "speed_max_kph": (0, 250),
        "distance_km": (0, 20),  # over 2 min
        "ping_count": (1, None),
        "moving_share": (0, 1),
    },
    "provider_availability": {
        "active_jobs": _COUNT,
        "free_capacity": _COUNT,
        **{f"{what}_{span}": _COUNT for what in _COUNTED for span in ("30m", "1h")},
    },
    "cell_conditions": {
        "precip_mm_h": (0, 400),
        "snow_cm": (0, 1000),
        "temp_c": (-70, 60),
        "visibility_km": (0, 200),
        "wind_kph": (0, 450),
        "alert_level": (0, 4),
        "speed_ratio_mean": (0, 2),
        "speed_ratio_trend": (-2, 2),
        "incidents": _COUNT,
        "closures": _COUNT,
    },
    "cell_demand": {"requests_15m": _COUNT, "requests_60m": _COUNT, "open_requests": _COUNT},
    "provider_history": {
        f"{metric}_{days}d": bounds
        for days in HISTORY_DAYS
        for metric, bounds in (
            ("acceptance_rate", (0, 1)),
            ("completion_rate", (0, 1)),
            ("cancel_rate", (0, 1)),
            ("satisfaction", (1, 5)),
            ("eta_error_mean_min", (-240, 240)),
            ("eta_error_p90_min", (-240, 480)),
            ("jobs", _COUNT),
        )
    },
    "provider_profile": {
        **{f"base_{name}": bounds for name, bounds in _DEGREES.items()},
        "radius_km": (0.1, 500),
        "contract_tier": (1, 3),
        "cost_per_job_usd": (1, 5000),
        "max_vehicle_class": (1, 3),
    },
}
_TEXTS: dict[str, list[str]] = {
    "status": [status.value for status in ProviderStatus],
    "service": [service.value for service in ServiceType],
}
_ALWAYS_KNOWN = {
    "provider_motion": ("lat", "lon"),
    "provider_availability": ("status", "status_reported_at"),
    "provider_profile": ("base_lat", "base_lon", "radius_km", "contract_tier", "cost_per_job_usd"),
}
_MOSTLY_KNOWN = {"provider_history": {"acceptance_rate_90d": 0.8, "jobs_90d": 0.95}}
_ORDERED = {
    "provider_motion": [("speed_max_kph", "speed_mean_kph")],
    "provider_history": [("jobs_30d", "jobs_7d"), ("jobs_90d", "jobs_30d")],
}
"""Pairs of which the first is never the lesser."""


def expectations(schema: ViewSchema) -> list[Any]:
    """Return the rules of a view's rows."""
    import great_expectations as gx  # noqa: PLC0415 - takes seconds

    kinds: Any = gx.expectations
    identity = [*schema.join_keys, "event_timestamp", "created_timestamp"]
    return [
        kinds.ExpectTableRowCountToBeBetween(min_value=1),
        *(kinds.ExpectColumnToExist(column=name) for name in schema.column_names),
        *(kinds.ExpectColumnValuesToNotBeNull(column=name) for name in identity),
        # two rows of one moment that differ: retrieval could take either
        kinds.ExpectCompoundColumnsToBeUnique(column_list=identity),
        _pair(kinds.ExpectColumnPairValuesAToBeGreaterThanB,
              "created_timestamp", "event_timestamp", or_equal=True),
        # retrieval opens only the days that it needs
        _pair(kinds.ExpectColumnPairValuesToBeEqual, DAY, EVENT_DAY),
        *_about_times(kinds, schema),
        *_about_values(kinds, schema),
    ]  # fmt: skip


def _about_times(kinds: Any, schema: ViewSchema) -> list[Any]:
    if schema.observed_at is None:
        return []
    return [_pair(kinds.ExpectColumnPairValuesToBeEqual, schema.observed_at, "event_timestamp")]


def _about_values(kinds: Any, schema: ViewSchema) -> list[Any]:
    texts = {n: v for n, v in _TEXTS.items() if n in (*schema.join_keys, *schema.column_names)}
    known = dict.fromkeys(_ALWAYS_KNOWN.get(schema.name, ()), 1.0)
    known |= _MOSTLY_KNOWN.get(schema.name, {})
    return [
        *(
            kinds.ExpectColumnValuesToBeBetween(column=name, min_value=low, max_value=high)
            for name, (low, high) in _BOUNDS[schema.name].items()
        ),
        *(kinds.ExpectColumnValuesToBeInSet(column=n, value_set=v) for n, v in texts.items()),
        *(
            kinds.ExpectColumnValuesToNotBeNull(column=n, mostly=share)
            for n, share in known.items()
        ),
        *(
            _pair(kinds.ExpectColumnPairValuesAToBeGreaterThanB, more, less, or_equal=True)
            for more, less in _ORDERED.get(schema.name, [])
        ),
    ]


def _pair(kind: Any, first: str, second: str, **terms: bool) -> Any:
    return kind(column_A=first, column_B=second, ignore_row_if="either_value_is_missing", **terms)
