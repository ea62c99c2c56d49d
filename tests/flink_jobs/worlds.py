"""Made-up minutes of all streams, with what networks do to them; for hypothesis."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st

from tests.flink_jobs.events import NOW_MS, Event, gps, state, step, traffic, weather
from tests.flink_jobs.oracles import CHANGE_LATE_MS, LATE_MS

Arrived = list[tuple[Event | str, int]]

PROVIDERS = tuple(f"p{i}" for i in range(10))
CELLS = tuple(f"872a100{i:x}bffffff" for i in range(5))
SPAN_MS = 300_000
DEMAND_SPAN_MS = 5_000_000
AHEAD_MS = 30_000
SLIDE_MS = 15_000
CROWD_MS = 2500


@dataclass
class World:
    """Events of every stream in their order of arrival, epoch ms.

    Attributes:
        arrived: By stream; a copy is an event that comes again.
    """

    arrived: dict[str, Arrived] = field(default_factory=dict)

    def events(self, stream: str) -> list[Event]:
        """Return a stream's events, copies and all."""
        return [event for event, _ in self.arrived[stream] if isinstance(event, dict)]


def worlds() -> st.SearchStrategy[World]:
    """Return worlds in which no event is later than its stream's jobs wait."""
    return st.builds(
        lambda *streams: World(dict(zip(_STREAMS, streams, strict=True))), *_STREAMS.values()
    )


def _arrivals(
    event: Callable[..., st.SearchStrategy[Event]], span_ms: int, late_ms: int, count: int = 150
) -> st.SearchStrategy[Arrived]:
    """Return arrivals of about ``count`` events, in the order in which the network brings them.

    Events crowd around the ends of windows, where it matters when they come: up to ``late_ms``
    after they happened, or before they happened by their own clocks; some come again.
    """
    delay_ms = st.integers(0, late_ms) | st.just(late_ms) | st.integers(-AHEAD_MS, 0)
    ends = st.integers(0, span_ms // SLIDE_MS).map(lambda number: NOW_MS + number * SLIDE_MS)
    times = st.builds(lambda end, off: end + off, ends, st.integers(-CROWD_MS, CROWD_MS))
    one = times.flatmap(lambda ts: st.tuples(event(ts), delay_ms, st.none() | delay_ms))
    return st.lists(one, min_size=count // 2, max_size=count).map(_in_order_of_arrival)


def _in_order_of_arrival(drawn: Sequence[tuple[Event, int, int | None]]) -> Arrived:
    arrivals: Arrived = []
    for event, delay_ms, again_ms in drawn:
        arrivals.append((event, event["ts"] + delay_ms))
        if again_ms is not None:
            arrivals.append((event, event["ts"] + again_ms))
    return sorted(arrivals, key=lambda arrival: arrival[1])


def _fix(ts: int) -> st.SearchStrategy[Event]:
    # Along one road at 36 km/h; one in some is far off it, as a bad receiver tells it.
    north = st.sampled_from([0.0, 0.0, 0.0, 0.0001, 0.5])
    return st.builds(
        lambda provider, off, speed: gps(
            provider, ts, lat=40 + (ts - NOW_MS) / 1e10 + off, speed_kph=speed
        ),
        st.sampled_from(PROVIDERS),
        north,
        st.integers(0, 120).map(float),
    )


def _state(ts: int) -> st.SearchStrategy[Event]:
    return st.builds(
        lambda provider, status, jobs: state(provider, ts, status, active_jobs=jobs),
        st.sampled_from(PROVIDERS),
        st.sampled_from(("available", "en_route", "on_scene", "offline")),
        st.integers(0, 3),
    )


def _weather(ts: int) -> st.SearchStrategy[Event]:
    return st.builds(
        lambda cell, rain, alert: weather(ts, cell, precip_mm_h=rain, alert_level=alert),
        st.sampled_from(CELLS),
        st.integers(0, 50).map(float),
        st.integers(0, 4),
    )


def _traffic(ts: int) -> st.SearchStrategy[Event]:
    return st.builds(
        lambda cell, ratio, incidents: traffic(ts, cell, speed_ratio=ratio, incidents=incidents),
        st.sampled_from(CELLS),
        st.integers(0, 16).map(lambda sixteenths: sixteenths / 16),
        st.integers(0, 3),
    )


def _step(ts: int) -> st.SearchStrategy[Event]:
    kinds = st.sampled_from(("request", "offer", "accept", "decline", "complete", "cancel"))
    return st.builds(
        lambda number, kind, cell, provider: step(
            f"e{number}",
            ts,
            kind,
            cell,
            **({"provider_id": provider} if kind in {"offer", "accept", "decline"} else {}),
        ),
        st.integers(0, 40),
        kinds,
        st.sampled_from(CELLS),
        st.sampled_from(PROVIDERS),
    )


_STREAMS = {
    "provider-gps": _arrivals(_fix, SPAN_MS, LATE_MS),
    "provider-availability": _arrivals(_state, SPAN_MS, CHANGE_LATE_MS),
    "weather": _arrivals(_weather, SPAN_MS, LATE_MS, count=60),
    "traffic": _arrivals(_traffic, SPAN_MS, LATE_MS, count=60),
    "dispatch-events": _arrivals(_step, DEMAND_SPAN_MS, CHANGE_LATE_MS),
}


def reversed_world() -> World:
    """Return events a few milliseconds apart in reverse, as far as their jobs wait for them.

    The two streams that others are joined with are silent: they would hold the watermarks back.
    """
    return World(
        {
            "provider-gps": _reversed(_dense(lambda i, ts: gps(f"p{i % 7}", ts)), LATE_MS),
            "provider-availability": _reversed(
                _dense(lambda i, ts: state(f"p{i % 7}", ts, active_jobs=i % 3)), CHANGE_LATE_MS
            ),
            "weather": _reversed(_dense(lambda i, ts: weather(ts, CELLS[i % 2])), LATE_MS),
            "traffic": [],
            "dispatch-events": [],
        }
    )


def _dense(event: Callable[[int, int], Event]) -> list[Event]:
    """Return 20 s of events, one every 37 ms, across the ends of two windows."""
    return [event(i, NOW_MS - 10_000 + 37 * i) for i in range(540)]


def _reversed(events: list[Event], late_ms: int) -> Arrived:
    """Return events that come in reverse in groups that span the bound."""
    size = late_ms // 37
    arrivals: Arrived = []
    for start in range(0, len(events), size):
        group = events[start : start + size]
        arrivals += [(event, group[-1]["ts"]) for event in reversed(group)]
    return arrivals
