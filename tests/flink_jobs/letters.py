"""Small makers of dead letters."""

from typing import Any

import msgspec

from flink_jobs.dead_letters import DeadLetter
from tests.flink_jobs.events import NOW_MS, Event, encode, gps


def letter(record: Event | str | None = None, **more: Any) -> DeadLetter:
    """Return a letter of a fix that was out of range, refused half a second after its arrival."""
    text = encode(gps("p1", NOW_MS, lat=95.0) if record is None else record)
    plain = DeadLetter(
        source="provider-gps",
        raw=text,
        code="out_of_range",
        reason="field 'lat' is out of range: 95.0",
        job="roadside-features",
        ts=NOW_MS + 900,
        received_ts=NOW_MS + 400,
    )
    return msgspec.structs.replace(plain, **more)
