"""An offer under way, and the events by which the streams tell of requests and providers."""

from collections.abc import Callable
from dataclasses import dataclass

from flink_jobs.event_schemas import (
    AvailabilityEvent,
    DispatchEvent,
    DispatchKind,
    GpsEvent,
    TrafficEvent,
    WeatherEvent,
)
from simulator.fate import Fate
from simulator.fleet import Fleet
from simulator.journal import Decision, Outcome
from simulator.outcomes import Request

Event = GpsEvent | AvailabilityEvent | WeatherEvent | TrafficEvent | DispatchEvent
Emit = Callable[[Event], None]


@dataclass
class Offer:
    """One offer of a decision to one provider."""

    decision: Decision
    provider: int
    """Into the fleet."""
    outcome: Outcome
    fate: Fate
    leads: bool = False
    """Whether the tracked truck does the job; else another one does, from the base."""


def availability_event(fleet: Fleet, index: int, now_s: float) -> AvailabilityEvent:
    """Return what a provider says of itself now."""
    return AvailabilityEvent(
        provider_id=fleet.providers.ids[index],
        ts=round(now_s * 1000),
        status=fleet.status(index),
        active_jobs=int(fleet.active_jobs[index]),
        capacity=int(fleet.providers.capacity[index]),
        shift_end_ts=round(fleet.shift_end_of_s(index, now_s) * 1000),
    )


def request_event(request: Request) -> DispatchEvent:
    """Return the event that opens a request."""
    return DispatchEvent(
        event_id=request.event_id,
        ts=round(request.time_s * 1000),
        kind="request",
        cell=request.cell,
        lat=request.lat,
        lon=request.lon,
        service=request.service,
        vehicle_class=request.vehicle_class,
        promised_minutes=request.promised_minutes,
    )


def step_event(
    request: Request,
    kind: DispatchKind,
    now_s: float,
    provider_id: str | None,
    score: int | None = None,
) -> DispatchEvent:
    """Return an event of a later step of a request."""
    return DispatchEvent(
        event_id=request.event_id,
        ts=round(now_s * 1000),
        kind=kind,
        cell=request.cell,
        provider_id=provider_id,
        score=score,
    )
