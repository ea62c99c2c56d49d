"""The load's events are what the streams' schemas promise, at the rates that are asked for."""

from collections import Counter

import msgspec
import pytest

from benchmarks.streaming.events import FIX_EVERY_S, SHARES, gps_load, mixed
from flink_jobs import event_schemas as schemas

TYPES: dict[str, type[msgspec.Struct]] = {
    schemas.PROVIDER_GPS: schemas.GpsEvent,
    schemas.PROVIDER_AVAILABILITY: schemas.AvailabilityEvent,
    schemas.WEATHER: schemas.WeatherEvent,
    schemas.TRAFFIC: schemas.TrafficEvent,
    schemas.DISPATCH_EVENTS: schemas.DispatchEvent,
}
NOW_MS = 1_767_225_600_000


def test_every_stream_gets_its_share_of_the_rate() -> None:
    """The rates add up to the total, in the shares of the design's peak."""
    rates = {load.stream: load.rate for load in mixed(750)}
    assert sum(rates.values()) == pytest.approx(750)
    assert rates == pytest.approx({stream: share / 10 for stream, share in SHARES.items()})


def test_every_record_is_an_event_of_its_stream() -> None:
    """Each text decodes as the stream's event, with the time that was asked for and its key."""
    for load in mixed(300):
        for n in range(2000):
            key, text = load.record(n, NOW_MS + n)
            event = msgspec.json.decode(text, type=TYPES[load.stream])
            named = msgspec.to_builtins(event)
            assert named["ts"] == NOW_MS + n
            assert key in {named.get("provider_id"), named.get("cell"), named.get("event_id")}


def test_each_provider_sends_a_fix_each_fifteen_seconds() -> None:
    """Over 45 s at a rate, every provider has three fixes."""
    load = gps_load(20)
    fixes = [load.record(n, n)[0] for n in range(20 * FIX_EVERY_S * 3)]
    assert set(Counter(fixes).values()) == {3}


def test_the_bad_share_is_bad_and_the_rest_is_as_without_it() -> None:
    """Half of the records are no fix of this earth; the others are good fixes, in order."""
    load, good_load = gps_load(20, bad_share=0.5), gps_load(10)
    good, broken, outside = [], 0, 0
    for n in range(1000):
        key, text = load.record(n, NOW_MS)
        try:
            event = msgspec.json.decode(text, type=schemas.GpsEvent)
        except msgspec.DecodeError:
            broken += 1
        else:
            if abs(event.lat) > 90:
                outside += 1
            else:
                good.append((key, text))
    assert (broken, outside) == (250, 250)
    assert good == [good_load.record(n, NOW_MS) for n in range(500)]


def test_the_steps_of_a_request_come_in_order() -> None:
    """Of a request that began after the load did, each step comes after the one before."""
    load = next(load for load in mixed(7500) if load.stream == schemas.DISPATCH_EVENTS)
    steps: dict[str, list[str]] = {}
    for n in range(6000):
        event = msgspec.json.decode(load.record(n, n)[1], type=schemas.DispatchEvent)
        steps.setdefault(event.event_id, []).append(event.kind)
    whole = [kinds for kinds in steps.values() if len(kinds) > 1]
    expected = ["request", "offer", "accept", "arrive", "complete", "satisfaction"]
    assert len(whole) > 500
    assert all(kinds == expected[: len(kinds)] for kinds in whole)
