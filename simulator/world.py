"""The world: seeded once, then moved on tick by tick, giving out the events of each tick."""

from dataclasses import dataclass, field

import numpy as np

from simulator.case import Event, availability_event
from simulator.demand import Demand
from simulator.dispatch import DispatchDesk
from simulator.fields import Fields
from simulator.fleet import Fleet
from simulator.geography import METROS, cells_of
from simulator.journal import Journal
from simulator.policy import Logging, Policy
from simulator.providers import make_providers
from simulator.reports import Intervals, Reporters

_FLEET_SEED = 10
_DEMAND_SEED = 11

REQUESTS_PER_PROVIDER_HOUR = 0.625
"""About a third of the trucks on shift are busy."""


@dataclass(frozen=True)
class WorldSettings:
    """What a world is made from; the same settings and the same start give the same events."""

    providers: int = 400
    seed: int = 7
    metros: int = 1
    requests_per_hour: float | None = None
    """None: in proportion to the providers."""
    intervals: Intervals = field(default_factory=Intervals)
    exclude: frozenset[str] = frozenset()
    """Providers that say nothing and get no offers: somebody else plays them."""


class World:
    """Everything that moves. Times are epoch seconds."""

    def __init__(
        self,
        settings: WorldSettings,
        start_s: float,
        event_prefix: str,
        journal: Journal | None = None,
        policy: Policy | None = None,
    ) -> None:
        """Make a world.

        Args:
            settings: What it is made from.
            start_s: When it begins, epoch seconds.
            event_prefix: Of the ids of its requests.
            journal: Where decisions and outcomes are written down, if anywhere.
            policy: Who is offered the jobs; none is the logging policy.
        """
        metros = METROS[: settings.metros]
        self.providers = make_providers(settings.providers, settings.seed, metros)
        unknown = settings.exclude - set(self.providers.ids)
        if unknown:
            raise ValueError(
                f"unknown providers {sorted(unknown)}: this world has {self.providers.ids[0]} to "
                f"{self.providers.ids[-1]}"
            )
        playable = np.array([id_ not in settings.exclude for id_ in self.providers.ids])
        self.fields = Fields(cells_of(metros), settings.seed)
        fleet_rng = np.random.default_rng([settings.seed, _FLEET_SEED, int(start_s)])
        self.fleet = Fleet(self.providers, start_s, fleet_rng)
        self._out: list[Event] = []
        self._playable = playable
        self._desk = DispatchDesk(
            settings.seed,
            self.fleet,
            self.fields,
            self._out.append,
            playable,
            policy or Logging(),
            journal,
        )
        self._demand = Demand(
            self.fields,
            settings.requests_per_hour or REQUESTS_PER_PROVIDER_HOUR * settings.providers,
            event_prefix,
            np.random.default_rng([settings.seed, _DEMAND_SEED, int(start_s)]),
        )
        self._reporters = Reporters(
            self.fleet, self.fields, settings.intervals, playable, settings.seed
        )
        self.now_s = start_s

    def everything(self) -> list[Event]:
        """Return a report of every provider and every cell as they are now."""
        return list(self._reporters.everything(self.now_s))

    def tick(self, until_s: float, *, open_for_requests: bool = True) -> list[Event]:
        """Move on and return the events after the last tick up to ``until_s``, by time.

        Args:
            until_s: Not before the present.
            open_for_requests: Else only what is under way goes on: no requests, no reports.
        """
        from_s = self.now_s
        if open_for_requests:
            for request in self._demand.between(from_s, until_s):
                self._desk.submit(request)
        self._desk.advance(until_s)
        for index in self.fleet.tick(until_s, until_s - from_s):
            if self._playable[index] and open_for_requests:
                self._out.append(availability_event(self.fleet, int(index), until_s))
        if open_for_requests:
            self._out.extend(self._reporters.due(from_s, until_s))
        self.now_s = until_s
        events, self._out[:] = sorted(self._out, key=_time), []
        return events


def _time(event: Event) -> int:
    return event.ts
