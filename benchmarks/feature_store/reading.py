"""All views of some hundred entities: Feast's SDK on either layout, and the serving reader."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from benchmarks.feature_store.made_rows import CELL, SERVICE, World
from benchmarks.feature_store.servers import Server
from benchmarks.feature_store.timing import Costs
from feature_repo.online.reader import FeatureReader, Lookup
from feature_repo.schema import PROVIDER_HISTORY, VIEWS
from scoring.gateway.read import CELL_VIEWS, PROVIDER_VIEWS

FEATURES = [f"{view.name}:{column.name}" for view in VIEWS.values() for column in view.columns]
Read = Callable[[Sequence[str]], Any]


@dataclass
class Contestant:
    """A way to read, the server that it asks, and how often in a turn.

    Attributes:
        bytes_sent: By the last counted call.
        bytes_got: By the last counted call.
    """

    name: str
    server: Server
    read: Read
    calls_a_turn: int = 1
    costs: Costs = field(default_factory=Costs)
    bytes_sent: int = 0
    bytes_got: int = 0


def by_sdk(store: Any) -> Read:
    """Return how Feast's SDK reads; its answer is left as the protobuf that it is."""

    def read(providers: Sequence[str]) -> Any:
        rows = [{"provider_id": p, "service": SERVICE, "cell": CELL} for p in providers]
        return store.get_online_features(FEATURES, rows, full_feature_names=True)

    return read


def by_reader(reader: FeatureReader) -> Read:
    """Return how the gateway reads: to numpy arrays."""

    def read(providers: Sequence[str]) -> Any:
        return reader.read(
            [
                Lookup(CELL_VIEWS, [(CELL,)]),
                Lookup(PROVIDER_VIEWS, [(provider,) for provider in providers]),
                Lookup((PROVIDER_HISTORY,), [(provider, SERVICE) for provider in providers]),
            ],
            time.time_ns() // 1000,
        )

    return read


def compare(
    contestants: Sequence[Contestant],
    world: World,
    entities: int,
    turns: int,
    done: Callable[[], None],
) -> None:
    """Let each read other entities in every turn, one contestant after the other."""
    for contestant in contestants:
        contestant.costs = Costs()
        _count_bytes(contestant, world.some(entities))
    for turn in range(turns):
        first = turn % len(contestants)
        for contestant in (*contestants[first:], *contestants[:first]):
            for _ in range(contestant.calls_a_turn):
                read = partial(contestant.read, world.some(entities))
                contestant.costs.measure(contestant.server, read)
        done()


def _count_bytes(contestant: Contestant, providers: Sequence[str]) -> None:
    contestant.read(providers)  # connects
    first, second = (contestant.server.network_bytes() for _ in range(2))
    contestant.read(providers)
    third = contestant.server.network_bytes()
    asked = [b - a for a, b in zip(first, second, strict=True)]
    sent, got = (c - b - own for b, c, own in zip(second, third, asked, strict=True))
    contestant.bytes_sent, contestant.bytes_got = sent, got
