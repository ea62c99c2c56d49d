"""What is played: worlds, times and policies; the same game gives the same results."""

from dataclasses import dataclass

from simulator.metros import METROS, providers_of
from simulator.reports import Intervals
from simulator.world import WorldSettings

HOUR_S, DAY_S = 3600.0, 86_400.0
WARM_UP_S = 6 * HOUR_S
"""A world begins with every truck idle: its first hours do not count."""
TAIL_S = 6 * HOUR_S
"""After the last request, until nothing more can become of any."""
TICK_S = 15.0


@dataclass(frozen=True)
class Game:
    """One comparison.

    Attributes:
        start_s: The first request that counts, epoch seconds; a midnight, UTC.
        days: How long requests come.
        providers: Of all metros together.
        metros: How many of ``METROS``, from the first.
        seeds: A world each; all policies play all of them.
        policies: Names of ``contenders.POLICIES``.
        bundle: Directory of the model bundle.
        requests_per_hour: Of all metros together; None is in proportion to the providers.
        regions: Names of the metros that are played; none are all.
    """

    start_s: float
    days: float
    providers: int
    metros: int
    seeds: tuple[int, ...]
    policies: tuple[str, ...]
    bundle: str | None = None
    requests_per_hour: float | None = None
    regions: tuple[str, ...] = ()

    @property
    def close_s(self) -> float:
        """When the last request may come, epoch seconds."""
        return self.start_s + self.days * DAY_S

    @property
    def played(self) -> dict[int, int]:
        """Which of the metros are played, and how many providers each has; the largest first."""
        metros = METROS[: self.metros]
        counts = providers_of(self.providers, metros)
        chosen = [
            at for at, metro in enumerate(metros) if metro.name in self.regions or not self.regions
        ]
        return {at: counts[at] for at in sorted(chosen, key=lambda at: -counts[at])}

    def world(self, seed: int, exclude: frozenset[str] = frozenset()) -> WorldSettings:
        """Return the settings of one world; sources report as often as in live play."""
        return WorldSettings(
            providers=self.providers,
            seed=seed,
            metros=self.metros,
            requests_per_hour=self.requests_per_hour,
            intervals=Intervals(),
            exclude=exclude,
        )
