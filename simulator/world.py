"""One metro of the world: seeded once, then moved on tick by tick, telling what happens."""

from dataclasses import dataclass, field

import numpy as np

from simulator.candidates import CandidateSearch
from simulator.case import Event
from simulator.demand import Demand
from simulator.dispatch import DispatchDesk
from simulator.fields import Fields
from simulator.fleet import Fleet
from simulator.geography import cells_of
from simulator.journal import Journal, Record
from simulator.luck import key_of
from simulator.metros import METROS, providers_of
from simulator.observed import Observed
from simulator.policy import Logging, Policy
from simulator.providers import make_providers, provider_id
from simulator.report_events import availability_events, events_of
from simulator.reports import Columns, Intervals, Reporters, Reports

_FLEET_SEED = 10
_DEMAND_SEED = 11

REQUESTS_PER_PROVIDER_HOUR = 0.625
"""About a third of the trucks on shift are busy."""


@dataclass(frozen=True)
class WorldSettings:
    """What a world is made from; the same settings and the same start give the same events."""

    providers: int = 400
    """Of all metros together; each has its share by its population."""
    seed: int = 7
    metros: int = 1
    requests_per_hour: float | None = None
    """Of all metros together. None: in proportion to the providers."""
    intervals: Intervals = field(default_factory=Intervals)
    exclude: frozenset[str] = frozenset()
    """Providers that say nothing and get no offers: somebody else plays them."""


class World:
    """Everything that moves in one metro. Times are epoch seconds.

    Metros know nothing of one another but the storms that cross them, so the world of a country
    is several of these (``worlds.py``).
    """

    def __init__(  # noqa: PLR0913 - what it is, and who listens
        self,
        settings: WorldSettings,
        start_s: float,
        event_prefix: str,
        record: Record | None = None,
        policy: Policy | None = None,
        *,
        metro: int = 0,
        observed: bool = False,
        silent: bool = False,
    ) -> None:
        """Make a world.

        Args:
            settings: What it is made from.
            start_s: When it begins, epoch seconds.
            event_prefix: Of the ids of its requests.
            record: What is told of its decisions, if anything.
            policy: Who is offered the jobs; none is the logging policy.
            metro: Which of the settings' metros.
            observed: Whether to keep what the jobs would know, for policies and archives.
            silent: Whether to make no events: nobody reads the streams.

        Raises:
            ValueError: There are too few providers, or an excluded one is unknown.
        """
        metros = METROS[: settings.metros]
        count = providers_of(settings.providers, metros)[metro]
        _require_known(settings)
        cells = cells_of(metros[metro])
        self.providers = make_providers(count, settings.seed, cells)
        playable = np.array([id_ not in settings.exclude for id_ in self.providers.ids])
        self.fields = Fields(cells, settings.seed)
        moment = (cells.metro.name, int(start_s))
        self.fleet = Fleet(
            self.providers,
            start_s,
            np.random.default_rng(key_of(settings.seed, _FLEET_SEED, *moment)),
        )
        self.observed = (
            Observed(self.providers.ids, cells.names, settings.intervals) if observed else None
        )
        self._out: list[Event] = []
        self._silent = silent
        self._playable = playable
        self._desk = DispatchDesk(
            settings.seed,
            self.fleet,
            self.fields,
            CandidateSearch(cells.metro, self.fleet, playable),
            policy or Logging(),
            self._emit,
            record or Journal(),
            self.observed,
        )
        per_hour = settings.requests_per_hour or REQUESTS_PER_PROVIDER_HOUR * settings.providers
        self._demand = Demand(
            self.fields,
            per_hour * count / settings.providers,
            f"{event_prefix}-{cells.metro.name}",
            np.random.default_rng(key_of(settings.seed, _DEMAND_SEED, *moment)),
        )
        self._reporters = Reporters(
            self.fleet, self.fields, settings.intervals, playable, settings.seed
        )
        self.now_s = start_s

    def everything(self) -> list[Event]:
        """Return a report of every provider and every cell as they are now."""
        self._report(self._reporters.everything(self.now_s))
        return self._emptied()

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
        changed = self.fleet.tick(until_s, until_s - from_s)
        if open_for_requests and not (self._silent and self.observed is None):
            who = changed[self._playable[changed]]
            self._say(self._reporters.availability_of(who, until_s))
            self._report(self._reporters.due(from_s, until_s))
        self.now_s = until_s
        return self._emptied()

    def _emit(self, event: Event) -> None:
        if not self._silent:
            self._out.append(event)
        if self.observed is not None:
            self.observed.take_event(event)

    def _say(self, said: Columns) -> None:
        if not self._silent:
            self._out.extend(availability_events(said, self.providers.ids))
        if self.observed is not None:
            self.observed.take_availability(said)

    def _report(self, reports: Reports) -> None:
        self._say(reports.availability)
        if not self._silent:
            self._out.extend(events_of(reports, self.providers.ids, self.fields.cells.names))
        if self.observed is not None:
            self.observed.take_reports(reports)

    def _emptied(self) -> list[Event]:
        events, self._out = sorted(self._out, key=_time), []
        return events


def _require_known(settings: WorldSettings) -> None:
    if not settings.exclude:
        return
    metros = METROS[: settings.metros]
    counts = providers_of(settings.providers, metros)
    known = {
        provider_id(metro, index)
        for metro, count in zip(metros, counts, strict=True)
        for index in range(count)
    }
    unknown = settings.exclude - known
    if unknown:
        ranges = ", ".join(
            f"{provider_id(metro, 0)} to {provider_id(metro, count - 1)}"
            for metro, count in zip(metros, counts, strict=True)
        )
        raise ValueError(f"unknown providers {sorted(unknown)}: this world has {ranges}")


def _time(event: Event) -> int:
    return event.ts
