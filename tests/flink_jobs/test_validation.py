"""Checks of events: what is refused, with which words, and that nothing vanishes."""

import pytest

from flink_jobs.validation import CHECKS, interval
from tests.flink_jobs.events import NOW_MS, Event, encode, gps, state, step, traffic, weather
from tests.flink_jobs.replay import Replay

BROKEN: dict[str, tuple[str, str, Event | str, str]] = {
    "text": ("not_json", "provider-gps", "{not json", "not JSON: "),
    "half": ("not_json", "provider-gps", '{"provider_id": "p1"', "not JSON: "),
    "two": ("not_json", "provider-gps", "{} {}", "not JSON: "),
    "empty": ("not_json", "provider-gps", "", "not a JSON object"),
    "list": ("not_json", "provider-gps", "[1]", "not a JSON object"),
    "missing": ("missing_field", "provider-gps", {"provider_id": "p1"}, "field 'ts' is missing"),
    "null": (
        "missing_field",
        "provider-gps",
        gps("p1", NOW_MS, heading_deg=None),
        "field 'heading_deg' is missing",
    ),
    "type": (
        "wrong_type",
        "provider-gps",
        gps("p1", NOW_MS, speed_kph="fast"),
        "field 'speed_kph' should be a number, not \"fast\"",
    ),
    "fraction": (
        "wrong_type",
        "traffic",
        traffic(NOW_MS, incidents=1.5),
        "field 'incidents' should be a whole number, not 1.5",
    ),
    "nobody": ("wrong_type", "provider-gps", gps("", NOW_MS), "field 'provider_id' should be text"),
    "north": (
        "out_of_range",
        "provider-gps",
        gps("p1", NOW_MS, lat=90.5),
        "field 'lat' is out of range: 90.5",
    ),
    "west": (
        "out_of_range",
        "provider-gps",
        gps("p1", NOW_MS, lon=-181),
        "field 'lon' is out of range: -181",
    ),
    "speed": (
        "out_of_range",
        "provider-gps",
        gps("p1", NOW_MS, speed_kph=251),
        "field 'speed_kph' is out of",
    ),
    "seconds": (
        "out_of_range",
        "provider-gps",
        gps("p1", 9_999_999_999_999_999),
        "field 'ts' is out of range",
    ),
    "future": (
        "in_future",
        "provider-gps",
        gps("p1", NOW_MS + 30_002),
        "more than 30 s ahead of its arrival",
    ),
    "old": (
        "too_old",
        "provider-gps",
        gps("p1", NOW_MS - 600_000),
        "more than 600 s before its arrival",
    ),
    "status": (
        "unknown_value",
        "provider-availability",
        state("p1", NOW_MS, "asleep"),
        "field 'status' is unknown: asleep",
    ),
    "cell": ("unknown_value", "weather", weather(NOW_MS, "872a"), "field 'cell' is not an H3 cell"),
    "kind": (
        "unknown_value",
        "dispatch-events",
        step("e1", NOW_MS, "hello"),
        "field 'kind' is unknown: hello",
    ),
    "offer": (
        "missing_field",
        "dispatch-events",
        step("e1", NOW_MS, "offer", provider_id=None),
        "field 'provider_id' is missing",
    ),
    "place": (
        "missing_field",
        "dispatch-events",
        step("e1", NOW_MS, "request", lat=None),
        "field 'lat' is missing",
    ),
}


def test_the_fields_that_are_parsed_are_the_event_schemas() -> None:
    """Names, types and optional fields come from the event's struct."""
    fields = CHECKS["dispatch-events"].fields

    assert fields["ts"] == "bigint"
    assert fields["kind"] == "string"
    assert fields["provider_id"] == "string?"
    assert fields["score"] == "int?"
    assert CHECKS["provider-availability"].fields["shift_end_ts"] == "bigint"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.25, "0 00:00:00.250"), (600, "0 00:10:00.000"), (90_061.5, "1 01:01:01.500")],
)
def test_an_interval_is_written_to_the_millisecond(seconds: float, text: str) -> None:
    """An interval of any length up to days is one that Flink reads."""
    assert interval(seconds) == f"INTERVAL '{text}' DAY TO SECOND(3)"


@pytest.mark.flink
def test_each_broken_event_is_refused_with_its_reason_and_its_text(batch: Replay) -> None:
    """Every broken record is a dead letter that says what is wrong, and no valid event is."""
    good = gps("good", NOW_MS)
    records: dict[str, list[tuple[Event | str, int]]] = {"provider-gps": [(good, NOW_MS)]}
    for _, stream, record, _ in BROKEN.values():
        records.setdefault(stream, []).append((record, NOW_MS + 1))
    batch.put(records)

    refused = batch.query("SELECT * FROM dead_letters")

    assert len(refused) == len(BROKEN)
    for name, (code, stream, record, reason) in BROKEN.items():
        letters = [letter for letter in refused if letter["record_text"] == encode(record)]
        assert [(x["source"], x["code"], x["received_ts"]) for x in letters] == [
            (stream, code, NOW_MS + 1)
        ], name
        assert reason in letters[0]["reason"], name
    valid = batch.query("SELECT provider_id FROM provider_gps")
    assert valid == [{"provider_id": "good"}]


@pytest.mark.flink
def test_times_at_the_limits_and_whole_floats_are_accepted(batch: Replay) -> None:
    """30 s ahead, 600 s behind and 2.0 for a whole number are no fault."""
    events = [gps("ahead", NOW_MS + 30_000), gps("behind", NOW_MS - 600_000)]
    batch.put(
        {
            "provider-gps": [(event, NOW_MS) for event in events],
            "traffic": [(traffic(NOW_MS, incidents=2.0), NOW_MS)],
        }
    )

    assert len(batch.query("SELECT ts FROM provider_gps")) == 2
    assert batch.query("SELECT incidents FROM traffic") == [{"incidents": 2}]
