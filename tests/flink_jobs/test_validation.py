"""Checks of events: what is refused, with which words, and that nothing vanishes."""

import pytest

from flink_jobs.validation import CHECKS, interval
from tests.flink_jobs.batch import BatchTables
from tests.flink_jobs.events import NOW_MS, Event, encode, gps, state, step, traffic, weather

BROKEN: dict[str, tuple[str, Event | str, str]] = {
    "text": ("provider-gps", "{not json", "not JSON: "),
    "half": ("provider-gps", '{"provider_id": "p1"', "not JSON: "),
    "two": ("provider-gps", "{} {}", "not JSON: "),
    "empty": ("provider-gps", "", "not a JSON object"),
    "list": ("provider-gps", "[1]", "not a JSON object"),
    "missing": ("provider-gps", {"provider_id": "p1"}, "field 'ts' is missing"),
    "null": ("provider-gps", gps("p1", NOW_MS, lat=None), "field 'lat' is missing"),  # type: ignore[arg-type]
    "type": ("provider-gps", gps("p1", NOW_MS, speed_kph="fast"),
             "field 'speed_kph' should be a number, not \"fast\""),
    "fraction": ("traffic", traffic(NOW_MS, incidents=1.5),
                 "field 'incidents' should be a whole number, not 1.5"),
    "nobody": ("provider-gps", gps("", NOW_MS), "field 'provider_id' should be text"),
    "north": ("provider-gps", gps("p1", NOW_MS, lat=90.5), "field 'lat' is out of range: 90.5"),
    "west": ("provider-gps", gps("p1", NOW_MS, lon=-181), "field 'lon' is out of range: -181"),
    "speed": ("provider-gps", gps("p1", NOW_MS, speed_kph=251), "field 'speed_kph' is out of"),
    "seconds": ("provider-gps", gps("p1", 9_999_999_999_999_999), "field 'ts' is out of range"),
    "future": ("provider-gps", gps("p1", NOW_MS + 30_001), "more than 30 s ahead of its arrival"),
    "old": ("provider-gps", gps("p1", NOW_MS - 600_001), "more than 600 s before its arrival"),
    "status": ("provider-availability", state("p1", NOW_MS, "asleep"),
               "field 'status' is unknown: asleep"),
    "cell": ("weather", weather(NOW_MS, "872a"), "field 'cell' is not an H3 cell"),
    "kind": ("dispatch-events", step("e1", NOW_MS, "hello"), "field 'kind' is unknown: hello"),
    "offer": ("dispatch-events", step("e1", NOW_MS, "offer", provider_id=None),
              "field 'provider_id' is missing"),
    "place": ("dispatch-events", step("e1", NOW_MS, "request", lat=None),
              "field 'lat' is missing"),
}  # fmt: skip


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
def test_each_broken_event_is_refused_with_its_reason_and_its_text(batch: BatchTables) -> None:
    """Every broken record is a dead letter that says what is wrong, and no valid event is."""
    good = gps("good", NOW_MS)
    records: dict[str, list[tuple[Event | str, int]]] = {"provider-gps": [(good, NOW_MS)]}
    for stream, record, _ in BROKEN.values():
        records.setdefault(stream, []).append((record, NOW_MS))
    batch.put(records)

    refused = batch.query(
        " UNION ALL ".join(
            f"SELECT '{stream}' AS source, record_text, reason "  # noqa: S608
            f"FROM {CHECKS[stream].table}_checked WHERE reason IS NOT NULL"
            for stream in records
        )
    )

    assert len(refused) == len(BROKEN)
    for name, (stream, record, reason) in BROKEN.items():
        assert any(
            letter["source"] == stream
            and letter["record_text"] == encode(record)
            and reason in letter["reason"]
            for letter in refused
        ), name
    valid = batch.query("SELECT provider_id FROM provider_gps")
    assert valid == [{"provider_id": "good"}]


@pytest.mark.flink
def test_times_at_the_limits_and_whole_floats_are_accepted(batch: BatchTables) -> None:
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
