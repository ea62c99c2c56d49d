"""The world of a country: one ``World`` a metro, moved on together."""

from heapq import merge

from simulator.case import Event
from simulator.world import World, WorldSettings


class Worlds:
    """The worlds of all metros of some settings."""

    def __init__(self, settings: WorldSettings, start_s: float, event_prefix: str) -> None:
        self.of_metros = tuple(
            World(settings, start_s, event_prefix, metro=metro) for metro in range(settings.metros)
        )

    @property
    def now_s(self) -> float:
        """The time to which all have moved on, epoch seconds."""
        return self.of_metros[0].now_s

    def everything(self) -> list[Event]:
        """Return a report of every provider and every cell as they are now."""
        return [event for world in self.of_metros for event in world.everything()]

    def tick(self, until_s: float) -> list[Event]:
        """Move on and return the events after the last tick up to ``until_s``, by time."""
        return list(merge(*(world.tick(until_s) for world in self.of_metros), key=_time))


def _time(event: Event) -> int:
    return event.ts
