"""Who plays: policies by name."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.closed_loop.batch_rows import BatchRows
from benchmarks.closed_loop.game import TAIL_S, WARM_UP_S, Game
from benchmarks.closed_loop.informed import Informed
from benchmarks.closed_loop.policies import (
    HistoryOnly,
    LowestEta,
    Model,
    ModelWithRules,
    by_chance,
    by_ranker,
)
from scoring.endpoint.bundle import load_scorer
from scoring.endpoint.scorer import Scorer
from scoring.gateway.policy.file import load_policy
from scoring.gateway.policy.first_places import FirstPlaces
from simulator.fields import Fields
from simulator.geography import cells_of
from simulator.metros import METROS, providers_of
from simulator.policy import Logging, Nearest, Oracle, Policy
from simulator.providers import make_providers


@dataclass(frozen=True)
class Place:
    """What a policy may be made from, in one world and metro."""

    batch: BatchRows
    fields: Fields
    bundle: str | None

    def scorer(self) -> Scorer:
        """Load the bundle.

        Raises:
            ValueError: The game names none.
            BundleError: It cannot be used; the message says why.
        """
        if self.bundle is None:
            raise ValueError("a model plays, and no bundle is named: give --bundle")
        return load_scorer(Path(self.bundle))


@dataclass(frozen=True)
class Contender:
    """A policy by name.

    Attributes:
        observes: Whether its world must keep what is observed.
        make: Returns it, for a place.
        about: What it is, for a reader of the results.
    """

    observes: bool
    make: Callable[[Place], Policy]
    about: str


ORACLE, BASELINE, MODEL = "oracle", "lowest_eta", "model"
POLICIES: dict[str, Contender] = {
    "logging": Contender(
        False,
        lambda _place: Logging(),
        "draws by nearness: makes the archives that models learn from",
    ),
    "nearest": Contender(False, lambda _place: Nearest(), "true straight-line distance"),
    BASELINE: Contender(True, lambda place: LowestEta(place.batch), "eta_min as observed"),
    "history_only": Contender(
        True, lambda place: HistoryOnly(place.batch), "acceptance x completion over 30 days"
    ),
    MODEL: Contender(
        True, lambda place: Model(place.batch, place.scorer(), by_ranker), "the bundle's ranker"
    ),
    "model_rules": Contender(
        True,
        lambda place: ModelWithRules(place.batch, place.scorer(), load_policy(), FirstPlaces()),
        "the bundle's ranker behind the gateway's policy rules, exploration included",
    ),
    "model_chance": Contender(
        True,
        lambda place: Model(place.batch, place.scorer(), by_chance),
        "the bundle's calibrated chance of success",
    ),
    "informed": Contender(
        True,
        lambda place: Informed(place.batch, place.fields),
        "hidden traits and true roads, but positions and jobs as observed, and no moods",
    ),
    ORACLE: Contender(False, lambda _place: Oracle(), "the true chance of success of each offer"),
}
"""In the order in which they are shown."""


def require_bundle(game: Game) -> None:
    """Check the bundle of a game in which a model plays.

    Raises:
        BundleError: It is missing or cannot be used; the message says why.
    """
    if game.bundle is not None and any(name.startswith(MODEL) for name in game.policies):
        load_scorer(Path(game.bundle))


def place_of(game: Game, seed: int, metro: int) -> Place:
    """Return what policies may be made from, without a world: it is the seed's."""
    cells = cells_of(METROS[metro])
    count = providers_of(game.providers, METROS[: game.metros])[metro]
    span_s = (game.start_s - WARM_UP_S, game.close_s + TAIL_S)
    batch = BatchRows(make_providers(count, seed, cells), seed, METROS[metro].name, span_s)
    return Place(batch, Fields(cells, seed), game.bundle)
