"""Request-time features: one vectorised function for training, serving and analysts.

The training set and the gateway both call ``compute``; Feast registers it as the on-demand view
``request_time`` (``views.py``). Nothing else may compute these values.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from feature_repo.geometry import bearing_deg, great_circle_km
from feature_repo.schema import SERVICE_CODES, Column, Kind, ProviderStatus

Floats = npt.NDArray[np.float64]
Columns = Mapping[str, npt.NDArray[Any]]
"""Full feature names (``view__feature``) to n values: float64 with NaN for null, text as str or
bytes, timestamps as float64 microseconds (exact: below 2^53 until the year 2255)."""

# Feast wants these names unlike any join key (service) or stored feature (distance_km).
REQUEST_INPUTS: tuple[Column, ...] = (
    Column("request_ts", Kind.TIMESTAMP, "When help was asked for."),
    Column("request_lat", Kind.FLOAT64, "Latitude of the stranded driver, degrees."),
    Column("request_lon", Kind.FLOAT64, "Longitude of the stranded driver, degrees."),
    Column("requested_service", Kind.STRING, "Service asked for, see ServiceType."),
    Column("vehicle_class", Kind.INT32, "1 light, 2 medium, 3 heavy."),
    Column("promised_minutes", Kind.FLOAT64, "Minutes promised to the driver."),
    Column("available_candidates", Kind.INT32, "Candidates of this request that are available."),
)

OUTPUTS: tuple[Column, ...] = (
    Column("driver_distance_km", Kind.FLOAT32, "Great-circle distance, provider to driver, km."),
    Column("base_distance_km", Kind.FLOAT32, "Great-circle distance, base to driver, km."),
    Column("bearing_off_heading_deg", Kind.FLOAT32, "Angle between heading and driver, 0 to 180."),
    Column("eta_min", Kind.FLOAT32, "Drive time adjusted for traffic and weather, minutes."),
    Column("eta_margin_min", Kind.FLOAT32, "Promised minutes less eta_min."),
    Column("is_available", Kind.FLOAT32, "1 where the status is available, else 0."),
    Column("minutes_in_status", Kind.FLOAT32, "Minutes since the present status began."),
    Column("minutes_to_shift_end", Kind.FLOAT32, "Minutes until the shift ends."),
    Column("motion_age_s", Kind.FLOAT32, "Age of provider_motion, seconds."),
    Column("availability_age_s", Kind.FLOAT32, "Time since the provider told its state, seconds."),
    Column("conditions_age_s", Kind.FLOAT32, "Age of cell_conditions, seconds."),
    Column("demand_age_s", Kind.FLOAT32, "Age of cell_demand, seconds."),
    Column("hour_of_day", Kind.FLOAT32, "Solar hour at the driver, 0 to 24: no time zone needed."),
    Column("day_of_week", Kind.FLOAT32, "0 Monday to 6 Sunday, UTC."),
    Column("surge_ratio", Kind.FLOAT32, "Open requests in the cell to available candidates."),
    Column("service_code", Kind.FLOAT32, "Position of the service in ServiceType."),
    Column("vehicle_class_code", Kind.FLOAT32, "1 light, 2 medium, 3 heavy."),
    Column("promise_min", Kind.FLOAT32, "Minutes promised to the driver."),
)

# The formula of eta_min. Its constants are rough priors; the model learns what they miss.
ROAD_DETOUR = 1.35
"""Road over great-circle distance; 1.2 to 1.4 in US networks (Ballou et al., 2002)."""
FREE_FLOW_KPH = 52.0
MOBILISE_MIN = 2.5
"""From accepting a job to rolling."""
PRECIPITATION_SLOWDOWN_PER_MM_H = 0.02
SNOW_SLOWDOWN_PER_CM = 0.03
WORST_SPEED_FACTOR = 0.25

_US_PER_S = 1e6


@dataclass(frozen=True)
class RequestColumns:
    """The requests of n rows, or the one of all rows, one value each; units: ``REQUEST_INPUTS``."""

    request_us: Floats
    lat: Floats
    lon: Floats
    service_code: Floats
    vehicle_class: Floats
    promised_minutes: Floats
    available_candidates: Floats

    @classmethod
    def from_mapping(cls, columns: Mapping[str, npt.NDArray[Any]]) -> "RequestColumns":
        """Build from columns named as in ``REQUEST_INPUTS``; an unknown service is NaN."""
        codes = [
            SERVICE_CODES.get(str(service), np.nan) for service in columns["requested_service"]
        ]
        return cls(
            request_us=_floats(columns["request_ts"]),
            lat=_floats(columns["request_lat"]),
            lon=_floats(columns["request_lon"]),
            service_code=np.asarray(codes, dtype=np.float64),
            vehicle_class=_floats(columns["vehicle_class"]),
            promised_minutes=_floats(columns["promised_minutes"]),
            available_candidates=_floats(columns["available_candidates"]),
        )


def compute(columns: Columns, request: RequestColumns) -> dict[str, npt.NDArray[np.float32]]:
    """Compute every request-time feature.

    Args:
        columns: The stored features, n values each.
        request: The request, n values each, or one that is the same for all rows.

    Returns:
        Each name of ``OUTPUTS`` to float32 [n], or [1] where only the one request tells it; NaN
        where an input that it needs is missing.
    """
    lat, lon = columns["provider_motion__lat"], columns["provider_motion__lon"]
    distance = great_circle_km(lat, lon, request.lat, request.lon)
    towards = bearing_deg(lat, lon, request.lat, request.lon)
    off_heading = np.abs((towards - columns["provider_motion__heading_deg"] + 180) % 360 - 180)
    eta = eta_minutes(
        distance,
        speed_ratio=columns["cell_conditions__speed_ratio_mean"],
        precip_mm_h=columns["cell_conditions__precip_mm_h"],
        snow_cm=columns["cell_conditions__snow_cm"],
    )
    seconds = request.request_us / _US_PER_S
    open_requests = _known(_floats(columns["cell_demand__open_requests"]), otherwise=0.0)
    values = {
        "driver_distance_km": distance,
        "base_distance_km": great_circle_km(
            columns["provider_profile__base_lat"],
            columns["provider_profile__base_lon"],
            request.lat,
            request.lon,
        ),
        "bearing_off_heading_deg": off_heading,
        "eta_min": eta,
        "eta_margin_min": request.promised_minutes - eta,
        "is_available": is_available(columns["provider_availability__status"]),
        "minutes_in_status": _minutes(
            request.request_us - columns["provider_availability__status_since"]
        ),
        "minutes_to_shift_end": _minutes(
            columns["provider_availability__shift_end"] - request.request_us
        ),
        "motion_age_s": _age_s(request, columns["provider_motion__motion_observed_at"]),
        "availability_age_s": _age_s(request, columns["provider_availability__status_reported_at"]),
        "conditions_age_s": _age_s(request, columns["cell_conditions__conditions_observed_at"]),
        "demand_age_s": _age_s(request, columns["cell_demand__demand_observed_at"]),
        "hour_of_day": (seconds / 3600 + request.lon / 15) % 24,
        "day_of_week": (seconds // 86400 + 3) % 7,  # the epoch began on a Thursday
        "surge_ratio": (open_requests + 1) / (request.available_candidates + 1),
        "service_code": request.service_code,
        "vehicle_class_code": request.vehicle_class,
        "promise_min": request.promised_minutes,
    }
    return {column.name: values[column.name].astype(np.float32) for column in OUTPUTS}


def eta_minutes(
    distance_km: Floats, *, speed_ratio: Floats, precip_mm_h: Floats, snow_cm: Floats
) -> Floats:
    """Return the drive time in minutes; unknown conditions count as free flow and dry.

    The ages of the conditions are features of their own, so an assumption made here is seen by
    the model and by whoever reads the answer.
    """
    weather = (
        1
        - PRECIPITATION_SLOWDOWN_PER_MM_H * _known(precip_mm_h, otherwise=0.0)
        - SNOW_SLOWDOWN_PER_CM * _known(snow_cm, otherwise=0.0)
    )
    factor = np.clip(_known(speed_ratio, otherwise=1.0) * weather, WORST_SPEED_FACTOR, 1.2)
    minutes: Floats = MOBILISE_MIN + 60 * distance_km * ROAD_DETOUR / (FREE_FLOW_KPH * factor)
    return minutes


def _known(values: Floats, otherwise: float) -> Floats:
    # numpy's nan_to_num looks for infinities, too: three times the work, of which there are none.
    return np.where(np.isnan(values), otherwise, values)


def is_available(status: npt.NDArray[Any]) -> Floats:
    """Return 1 where the status is ``available``, 0 where another, NaN where unknown."""
    text = status.astype("S16") if status.dtype.kind == "S" else _text_bytes(status)
    available = text == ProviderStatus.AVAILABLE.value.encode()
    return np.where(text == b"", np.nan, available.astype(np.float64))


def _text_bytes(values: npt.NDArray[Any]) -> npt.NDArray[np.bytes_]:
    return np.array([v.encode() if isinstance(v, str) else b"" for v in values], dtype="S16")


def _age_s(request: RequestColumns, observed_us: npt.NDArray[Any]) -> Floats:
    age: Floats = (request.request_us - observed_us) / _US_PER_S
    return age


def _minutes(microseconds: Floats) -> Floats:
    return microseconds / (60 * _US_PER_S)


def _floats(values: npt.NDArray[Any]) -> Floats:
    return np.asarray(values, dtype=np.float64)
