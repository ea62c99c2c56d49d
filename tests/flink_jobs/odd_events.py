"""Events that are allowed and that nobody expects, and records that are neither."""

from tests.flink_jobs.events import Event, gps, state, step
from tests.flink_jobs.feed import PROVIDERS

IDS = (
    "with space",
    "ünï-漢字-🚚",
    "nul\0inside",
    "nul at the end\0",
    "new\nline\ttab",
    "lone \ud800 surrogate",
    "'; DROP TABLE provider_gps; --",
    "{}:*[hash]",
    "x" * 1000,
    " ",
)
ODD: tuple[Event, ...] = (
    *(make(name, 0) for name in IDS for make in (gps, state)),
    gps("pole", 0, lat=90, lon=180),
    gps("south pole", 0, lat=-90, lon=-180),
    gps("near pole", 0, lat=86.5),
    gps("whole numbers", 0, lat=40, lon=-75, speed_kph=250, heading_deg=360, accuracy_m=10_000),
    gps("more fields", 0, nested={"a": [1, {"b": None}]}, ts2=5),
    state("many", 0, active_jobs=1000, capacity=1000),
    state("nothing", 0, capacity=0, shift_end_ts=0),
    state("far", 0, shift_end_ts=4_102_444_800_000),
    state("fraction", 0, active_jobs=1.0, capacity=2e0),
)
BROKEN = (
    b"\xff\xfe\x00",
    b"null",
    b"[]",
    b'"text"',
    b'{"provider_id": ""}',
    b'{"provider_id": 7, "ts": 1}',
    b"{" * 5000,
    b"[" * 100_000,
    b'{"provider_id": "p", "ts": 9223372036854775807, "lat": 1, "lon": 1, "speed_kph": 1,'
    b' "heading_deg": 1, "accuracy_m": 1}',
    b'{"provider_id": "p", "ts": -9223372036854775808, "lat": 1, "lon": 1, "speed_kph": 1,'
    b' "heading_deg": 1, "accuracy_m": 1}',
    b'{"provider_id": "p", "ts": 1e400, "lat": 1}',
    b'{"provider_id": "p", "ts": ' + b"9" * 2000 + b"}",
    b'{"provider_id": "p", "ts": 1, "lat": NaN}',
    b'{"provider_id": "' + b"y" * 900_000,
)


def of_devices(name: str, ts: int) -> dict[str, list[Event]]:
    """Return what some devices of one clock send, by stream; enough of them for every shard."""
    names = [f"{name}-{i}" for i in range(PROVIDERS)]
    return {
        "provider-gps": [gps(one, ts) for one in names],
        "provider-availability": [state(one, ts) for one in names],
        "dispatch-events": [step(f"{one}-{ts}", ts, "offer", provider_id=one) for one in names],
    }
