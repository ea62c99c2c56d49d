"""A town of providers who may all be sent, and people who ask for help in it."""

import time
from typing import Any

import msgspec
import numpy as np
from redis import Redis

from feature_repo.online.row_writer import RowWriter
from feature_repo.schema import (
    PROVIDER_AVAILABILITY,
    PROVIDER_HISTORY,
    PROVIDER_MOTION,
    PROVIDER_PROFILE,
    STREAM_VIEWS,
    ViewSchema,
)
from tests.support import rows

PROJECT = "roadside"
LAT, LON = 39.7392, -104.9903
PROVIDERS = 200
ACROSS_DEG = 0.15
"""About 16 km to each side: within one or two rings of everybody who asks."""
SERVICE = "tow"
_US_PER_HOUR = 3_600_000_000


class Town:
    """The providers, written to a Redis.

    Args:
        client: Of the Redis itself, not through a proxy.
        seed: Of where everybody is.
    """

    def __init__(self, client: Redis, seed: int) -> None:
        self._writer = RowWriter(client, PROJECT)
        rng = np.random.default_rng(seed)
        self._ids = [f"p{number:03}" for number in range(PROVIDERS)]
        self._lat = (LAT + rng.uniform(-ACROSS_DEG, ACROSS_DEG, PROVIDERS)).tolist()
        self._lon = (LON + rng.uniform(-ACROSS_DEG, ACROSS_DEG, PROVIDERS)).tolist()
        self._rates = rng.uniform(0.3, 1.0, PROVIDERS).tolist()

    def write(self) -> None:
        """Write every row as of now, and the beacons of the jobs that would have."""
        now_us = time.time_ns() // 1000
        state = {
            "status": "available",
            "free_capacity": 1,
            "shift_end": now_us + 8 * _US_PER_HOUR,
            "status_since": now_us - _US_PER_HOUR,
            "status_reported_at": now_us,
        }
        profile = {
            "base_lat": self._lat,
            "base_lon": self._lon,
            "radius_km": 100.0,
            "contract_tier": 1,
            "max_vehicle_class": 3,
        }
        record = {"acceptance_rate_30d": self._rates, "completion_rate_30d": self._rates}
        place = {"lat": self._lat, "lon": self._lon}
        views: list[tuple[ViewSchema, dict[str, Any]]] = [
            (PROVIDER_MOTION, place),
            (PROVIDER_AVAILABILITY, state),
            (PROVIDER_PROFILE, profile),
        ]
        for schema, given in views:
            rows.write(self._writer, schema, self._ids, now_us, **given)
        history = [(provider_id, SERVICE) for provider_id in self._ids]
        rows.write(self._writer, PROVIDER_HISTORY, history, now_us, **record)
        for view in STREAM_VIEWS:
            self._writer.beacon(view.name, now_us, now_us)


def event_id(number: int) -> str:
    """Return the event of the request of this number."""
    return f"chaos-{number}"


def request(number: int) -> bytes:
    """Return the body of the request for help of this number."""
    rng = np.random.default_rng(number)
    north, east = rng.uniform(-ACROSS_DEG / 2, ACROSS_DEG / 2, 2).tolist()
    return msgspec.json.encode(
        {
            "event_id": event_id(number),
            "location": {"lat": LAT + north, "lon": LON + east},
            "service": SERVICE,
            "top_k": 3,
        }
    )
