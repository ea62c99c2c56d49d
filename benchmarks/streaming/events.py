"""The load's events: every stream's rate, keys and records, the same in every run."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import h3

from flink_jobs.event_schemas import (
    DISPATCH_EVENTS,
    PROVIDER_AVAILABILITY,
    PROVIDER_GPS,
    TRAFFIC,
    WEATHER,
)

SHARES = {
    PROVIDER_GPS: 5300,
    PROVIDER_AVAILABILITY: 1500,
    WEATHER: 200,
    TRAFFIC: 400,
    DISPATCH_EVENTS: 100,
}
"""Events a second at peak (design), here as shares of a total."""

FIX_EVERY_S = 15
"""How often each provider sends a fix."""

SEED = 7
CITY = (39.74, -104.99)
HALF_DEGREES = 0.4
RINGS = 60
"""Of cells around the city: 10,981 cells of resolution 7."""
DISPATCH_CELLS = 2000
STEPS = ("request", "offer", "accept", "arrive", "complete", "satisfaction")
REQUESTS_BETWEEN_STEPS = 60
"""Other requests that begin between two steps of one: seconds, at a hundred events a second."""
STATUSES = ("available", "en_route", "on_scene", "available", "offline")

Record = tuple[str, str]
"""Partition key and text."""


@dataclass(frozen=True)
class StreamLoad:
    """What one stream gets.

    Attributes:
        stream: Its name.
        rate: Events a second.
        record: The n-th event, given its time, epoch ms.
    """

    stream: str
    rate: float
    record: Callable[[int, int], Record]


def mixed(total_rate: float) -> tuple[StreamLoad, ...]:
    """Return the loads of all streams, in the shares of the design's peak."""
    rates = {s: total_rate * share / sum(SHARES.values()) for s, share in SHARES.items()}
    providers = provider_count(rates[PROVIDER_GPS])
    return (
        gps_load(rates[PROVIDER_GPS]),
        StreamLoad(
            PROVIDER_AVAILABILITY,
            rates[PROVIDER_AVAILABILITY],
            lambda n, ts: _availability(n, ts, providers),
        ),
        StreamLoad(WEATHER, rates[WEATHER], _weather),
        StreamLoad(TRAFFIC, rates[TRAFFIC], _traffic),
        StreamLoad(DISPATCH_EVENTS, rates[DISPATCH_EVENTS], lambda n, ts: _step(n, ts, providers)),
    )


def gps_load(rate: float, bad_share: float = 0.0) -> StreamLoad:
    """Return fixes, of which a share is bad: half of those no JSON, half out of range."""
    fixes = _Fixes(provider_count(rate * (1 - bad_share)))

    def record(n: int, ts: int) -> Record:
        bad_before, bad = int(n * bad_share), int((n + 1) * bad_share)
        if bad == bad_before:
            return fixes.record(n - bad, ts)
        key, text = fixes.record(bad, ts)
        return key, text[:-20] if bad % 2 else text.replace('"lat":', '"lat":1')

    return StreamLoad(PROVIDER_GPS, rate, record)


def provider_count(fixes_per_s: float) -> int:
    """Return how many providers send so many fixes a second."""
    return max(round(fixes_per_s * FIX_EVERY_S), 1)


def provider_id(number: int) -> str:
    """Return a provider's name."""
    return f"p{number:07d}"


class _Fixes:
    """Fixes of providers that drive to and fro; what does not change is encoded once."""

    def __init__(self, providers: int) -> None:
        rng = random.Random(SEED)
        self._providers = providers
        places = [
            (
                CITY[0] + rng.uniform(-1, 1) * HALF_DEGREES,
                CITY[1] + rng.uniform(-1, 1) * HALF_DEGREES,
            )
            for _ in range(providers)
        ]
        self._heads = [f'{{"provider_id":"{provider_id(p)}","ts":' for p in range(providers)]
        self._tails = [
            [_tail(lat, lon, 45.0), _tail(lat + 0.002, lon, 225.0)]  # 220 m away
            for lat, lon in places
        ]

    def record(self, n: int, ts: int) -> Record:
        """Return the n-th fix."""
        turn, number = divmod(n, self._providers)
        return provider_id(number), f"{self._heads[number]}{ts}{self._tails[number][turn % 2]}"


def _tail(lat: float, lon: float, heading: float) -> str:
    return (
        f',"lat":{lat:.6f},"lon":{lon:.6f},"speed_kph":52.5,"heading_deg":{heading},'
        '"accuracy_m":5.0}'
    )


def _availability(n: int, ts: int, providers: int) -> Record:
    turn, number = divmod(n, providers)
    key = provider_id(number)
    status = STATUSES[(turn + number) % len(STATUSES)]
    return key, (
        f'{{"provider_id":"{key}","ts":{ts},"status":"{status}","active_jobs":{n % 2},'
        f'"capacity":2,"shift_end_ts":{ts + 14_400_000}}}'
    )


@cache
def cells() -> tuple[str, ...]:
    """Return the cells that have weather and traffic; the first ones have requests too."""
    return tuple(h3.grid_disk(h3.latlng_to_cell(*CITY, 7), RINGS))


def _weather(n: int, ts: int) -> Record:
    key = cells()[n % len(cells())]
    return key, (
        f'{{"cell":"{key}","ts":{ts},"precip_mm_h":{n % 7}.5,"snow_cm":0.0,"temp_c":3.5,'
        f'"wind_kph":12.0,"visibility_km":9.0,"alert_level":{n % 3}}}'
    )


def _traffic(n: int, ts: int) -> Record:
    key = cells()[n % len(cells())]
    return key, (
        f'{{"cell":"{key}","ts":{ts},"speed_ratio":0.{n % 9 + 1},"incidents":{n % 3},"closures":0}}'
    )


def _step(n: int, ts: int, providers: int) -> Record:
    turn, step = divmod(n, len(STEPS))
    request, kind = turn - step * REQUESTS_BETWEEN_STEPS, STEPS[step]
    if request < 0:  # it would have begun before the load did
        request, kind = -turn * len(STEPS) - step, "request"
    cell = cells()[request % DISPATCH_CELLS]
    more = {
        "request": f'"lat":{CITY[0]},"lon":{CITY[1]},"service":"tow","vehicle_class":1,'
        '"promised_minutes":30.0',
        "satisfaction": f'"provider_id":"{provider_id(request % providers)}","score":4',
    }.get(kind, f'"provider_id":"{provider_id(request % providers)}"')
    key = f"e{request}"
    return key, f'{{"event_id":"{key}","ts":{ts},"kind":"{kind}","cell":"{cell}",{more}}}'
