"""What one event shows of itself: each is parsed once, and has a problem or none.

``checked_query`` keeps every record and adds ``problem``, null when nothing is wrong. Times are
checked against the record's arrival, not against the clock, so that a replay and a backfill judge
an event as it was judged the first time. What only an event's neighbours show (copies, impossible
speed, lateness) is judged after this, in the jar's ``CheckedEvents``.
"""

import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from flink_jobs import event_schemas as events
from flink_jobs.dead_letters import Code
from flink_jobs.settings import CONDITIONS_WINDOW_S, MOTION_WINDOW_S, EventTime

MAX_SPEED_KPH = 250
"""No truck drives faster, by its own word or between two of its fixes."""

LATEST_PLAUSIBLE_MS = 4_102_444_800_000
"""2100-01-01: beyond it a time is not in epoch milliseconds."""


@dataclass(frozen=True)
class Rule:
    """A check of one event, in SQL: ``broken`` is true when ``reason`` (a SQL text) applies.

    ``code`` is one of ``dead_letters.Code``.
    """

    broken: str
    code: Code
    reason: str

    @property
    def problem(self) -> str:
        """The SQL text that the checked table carries: code and reason."""
        return f"'{self.code}|' || {self.reason}"


@dataclass(frozen=True)
class StreamCheck:
    """How the records of one stream are checked.

    Attributes:
        stream: The stream.
        event: What its records should be.
        key: The field whose events are judged beside each other; the stream's partition key.
        rules: What each event must hold to.
        several_at_once: Whether a key can have several events of one time; elsewhere a second one
            is refused as a duplicate, whatever it says.
        windows: The length and slide of the windows that count its events, seconds. None for a
            stream of changes: those are written on the event, and count however late they come.
        max_speed_kph: Between two fixes, for a stream of positions.
    """

    stream: str
    event: type[msgspec.Struct]
    key: str
    rules: tuple[Rule, ...]
    several_at_once: bool = False
    windows: Callable[[EventTime], tuple[int, int]] | None = None
    max_speed_kph: float = 0.0

    @property
    def table(self) -> str:
        """The stream's name as SQL has it."""
        return table_name(self.stream)

    def out_of_order_s(self, times: EventTime) -> float:
        """How long its events are waited for."""
        return times.changes_out_of_order_s if self.windows is None else times.out_of_order_s

    @property
    def fields(self) -> dict[str, str]:
        """The event's fields and their types, as ``parse_event`` names them."""
        hints = get_type_hints(self.event)
        return {name: _parse_type(name, hints[name]) for name in self.event.__struct_fields__}


def table_name(stream: str) -> str:
    """Return the name of a stream's table."""
    return stream.replace("-", "_")


def _parse_type(name: str, hint: Any) -> str:
    if get_origin(hint) in {Union, types.UnionType}:
        present = [arg for arg in get_args(hint) if arg is not type(None)]
        return _parse_type(name, present[0]) + "?"
    if hint is int:
        return "bigint" if name.endswith("ts") else "int"
    if hint is float:
        return "double"
    if hint is str or get_origin(hint) is Literal:
        return "string"
    raise TypeError(f"field {name!r} has the type {hint!r}, which parse_event does not read")


def _within(field: str, low: float, high: float, unit: str) -> Rule:
    return Rule(
        f"`{field}` NOT BETWEEN {low} AND {high}",
        "out_of_range",
        f"'field ''{field}'' is out of range: ' || CAST(`{field}` AS STRING) "
        f"|| ' (should be {low} to {high} {unit})'",
    )


def _one_of(field: str, hint: Any) -> Rule:
    allowed = [str(value) for value in get_args(hint)]
    return Rule(
        f"`{field}` NOT IN ({', '.join(repr(value) for value in allowed)})",
        "unknown_value",
        f"'field ''{field}'' is unknown: ' || `{field}` || ' (should be one of "
        f"{', '.join(allowed)})'",
    )


def _needs(field: str, when: str, what: str) -> Rule:
    return Rule(
        f"({when}) AND `{field}` IS NULL",
        "missing_field",
        f"'field ''{field}'' is missing ({what})'",
    )


_AVAILABILITY_STATUS = get_type_hints(events.AvailabilityEvent)["status"]
_PROVIDER_KINDS = "('offer', 'accept', 'decline', 'arrive', 'complete', 'satisfaction')"
_CELL = Rule(
    "NOT REGEXP(`cell`, '^87[0-9a-f]{13}$')",
    "unknown_value",
    "'field ''cell'' is not an H3 cell of resolution 7: ' || `cell`",
)


def _conditions_windows(times: EventTime) -> tuple[int, int]:
    return CONDITIONS_WINDOW_S, times.conditions_slide_s


CHECKS: dict[str, StreamCheck] = {
    check.stream: check
    for check in (
        StreamCheck(
            events.PROVIDER_GPS,
            events.GpsEvent,
            "provider_id",
            (
                _within("lat", -90, 90, "degrees"),
                _within("lon", -180, 180, "degrees"),
                _within("speed_kph", 0, MAX_SPEED_KPH, "km/h"),
                _within("heading_deg", 0, 360, "degrees"),
                _within("accuracy_m", 0, 10_000, "m"),
            ),
            windows=lambda times: (MOTION_WINDOW_S, times.motion_slide_s),
            max_speed_kph=MAX_SPEED_KPH,
        ),
        StreamCheck(
            events.PROVIDER_AVAILABILITY,
            events.AvailabilityEvent,
            "provider_id",
            (
                _one_of("status", _AVAILABILITY_STATUS),
                _within("active_jobs", 0, 1000, "jobs"),
                _within("capacity", 0, 1000, "trucks"),
                _within("shift_end_ts", 0, LATEST_PLAUSIBLE_MS, "epoch ms"),
            ),
        ),
        StreamCheck(
            events.WEATHER,
            events.WeatherEvent,
            "cell",
            (
                _CELL,
                _within("precip_mm_h", 0, 500, "mm/h"),
                _within("snow_cm", 0, 2000, "cm"),
                _within("temp_c", -90, 65, "degrees C"),
                _within("wind_kph", 0, 500, "km/h"),
                _within("visibility_km", 0, 500, "km"),
                _within("alert_level", 0, 4, "levels"),
            ),
            windows=_conditions_windows,
        ),
        StreamCheck(
            events.TRAFFIC,
            events.TrafficEvent,
            "cell",
            (
                _CELL,
                _within("speed_ratio", 0, 3, "of free flow"),
                _within("incidents", 0, 10_000, "incidents"),
                _within("closures", 0, 10_000, "closures"),
            ),
            windows=_conditions_windows,
        ),
        StreamCheck(
            events.DISPATCH_EVENTS,
            events.DispatchEvent,
            "event_id",
            (
                _CELL,
                _one_of("kind", events.DispatchKind),
                _needs("provider_id", f"`kind` IN {_PROVIDER_KINDS}", "this kind has a provider"),
                _needs("lat", "`kind` = 'request'", "a request has a place"),
                _needs("lon", "`kind` = 'request'", "a request has a place"),
                _within("lat", -90, 90, "degrees"),
                _within("lon", -180, 180, "degrees"),
                _needs("score", "`kind` = 'satisfaction'", "satisfaction has a score"),
                _within("score", 1, 5, "points"),
            ),
            several_at_once=True,
        ),
    )
}


def _time_rules(times: EventTime) -> tuple[Rule, ...]:
    at = "TO_TIMESTAMP_LTZ(`ts`, 3)"
    seen = "'field ''ts'' is ' || CAST(`ts` AS STRING) || ', "
    return (
        _within("ts", 0, LATEST_PLAUSIBLE_MS, "epoch ms"),
        Rule(
            f"{at} > received_at + {interval(times.max_future_s)}",
            "in_future",
            f"{seen}more than {times.max_future_s:g} s ahead of its arrival'",
        ),
        Rule(
            f"{at} < received_at - {interval(times.max_age_s)}",
            "too_old",
            f"{seen}more than {times.max_age_s:g} s before its arrival'",
        ),
    )


def window_made_ms(late_s: float) -> str:
    """Return the SQL of when a window's row is made: its end, and the wait for late events."""
    return f"(EXTRACT(EPOCH FROM window_end) * 1000 + {round(late_s * 1000)})"


def interval(seconds: float) -> str:
    """Return a SQL interval of ``seconds``, to the millisecond."""
    minutes, rest_s = divmod(round(seconds, 3), 60)
    hours, minutes = divmod(int(minutes), 60)
    return (
        f"INTERVAL '{hours // 24} {hours % 24:02d}:{minutes:02d}:{rest_s:06.3f}' DAY TO SECOND(3)"
    )


def checked_query(check: StreamCheck, raw_table: str, times: EventTime) -> str:
    """Return the SQL that parses and checks a stream.

    Args:
        check: The stream's checks.
        raw_table: A table of ``record_text`` and ``received_at`` (TIMESTAMP_LTZ(3)).
        times: What times are accepted.

    Returns:
        A query with the event's fields, ``event_time`` (TIMESTAMP_LTZ(3)) and ``counted_ts``
        (epoch ms), both of the event's ``ts``, ``record_text``, ``received_at`` and ``problem``.
    """
    fields = check.fields
    names = ", ".join(f"`{name}`" for name in fields)
    spec = ", ".join(f"{name} {kind}" for name, kind in fields.items())
    cases = "\n    ".join(
        f"WHEN {rule.broken} THEN {rule.problem}" for rule in (*_time_rules(times), *check.rules)
    )
    return f"""
SELECT {names},
  TO_TIMESTAMP_LTZ(CASE WHEN `ts` BETWEEN 0 AND {LATEST_PLAUSIBLE_MS} THEN `ts` END, 3)
    AS event_time,
  `ts` AS counted_ts, record_text, received_at, CASE
    WHEN defect IS NOT NULL THEN defect
    {cases}
  END AS problem
FROM {raw_table}, LATERAL TABLE(parse_event(record_text, '{spec}')) AS event({names}, defect)"""
