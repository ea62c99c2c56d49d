"""What policies see is what training sees."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest

from benchmarks.closed_loop import train
from benchmarks.closed_loop.batch_rows import BatchRows
from benchmarks.closed_loop.game import HOUR_S, TICK_S
from benchmarks.closed_loop.ledger import Ledger
from benchmarks.closed_loop.seen import seen
from feature_repo.model_matrix import MODEL_FEATURES, model_matrix
from simulator import history
from simulator.policy import Choice, Logging, Ranking
from simulator.reports import Intervals
from simulator.world import World, WorldSettings
from tests.benchmarks.closed_loop.conftest import START_S
from training import dataset

SETTINGS = WorldSettings(providers=60, seed=5, requests_per_hour=60, intervals=Intervals())
SPAN = history.Span(START_S, START_S + HOUR_S, START_S + 7 * HOUR_S)
LOGGED_BY_TRUTH = "request_time__surge_ratio"
"""Archives count the available candidates by the truth, serving by their last reports."""


@dataclass
class _Watching:
    """The policy of archives; keeps what a model would have been given."""

    batch: BatchRows
    matrices: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)

    def rank(self, choice: Choice, rng: np.random.Generator) -> Ranking:
        known = seen(choice, self.batch)
        rows = model_matrix(known.columns, known.request)
        for candidate, row in zip(choice.candidates, rows, strict=True):
            self.matrices[choice.request.event_id, choice.providers.ids[candidate]] = row
        return Logging().rank(choice, rng)


@pytest.fixture(scope="module")
def watched() -> _Watching:
    """What was seen at each decision of an hour."""
    world = World(SETTINGS, START_S, "h5", Ledger(), observed=True, silent=True)
    batch = BatchRows(world.providers, SETTINGS.seed, "den", (START_S, SPAN.end_s))
    policy = _Watching(batch)
    world = World(SETTINGS, START_S, "h5", Ledger(), policy, observed=True, silent=True)
    world.everything()
    while world.now_s < SPAN.close_s:
        world.tick(world.now_s + TICK_S)
    return policy


@pytest.fixture(scope="module")
def retrieved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pd.DataFrame]:
    """The same hour's archive, with features by historical retrieval."""
    data = tmp_path_factory.mktemp("seen") / "archive"
    history.write(SETTINGS, SPAN, data, contents=history.Contents(False, True))
    repository = train.register(data, data.with_name("feast"))
    decisions = pd.read_parquet(data / "decisions", partitioning=None)
    store = dataset.open_store(repository, data / "offline")
    yield dataset.with_features(decisions, store)


def test_a_model_sees_what_historical_retrieval_finds(
    watched: _Watching, retrieved: pd.DataFrame
) -> None:
    """Every feature of every candidate is the same, however it came; but for one logged input."""
    keys = list(zip(retrieved["event_id"], retrieved["provider_id"], strict=True))
    assert set(keys) == set(watched.matrices)
    found = np.stack([watched.matrices[key] for key in keys])
    wanted = retrieved[list(MODEL_FEATURES)].to_numpy(dtype=np.float32)
    for column, name in enumerate(MODEL_FEATURES):
        if name != LOGGED_BY_TRUTH:
            np.testing.assert_allclose(found[:, column], wanted[:, column], rtol=1e-6, err_msg=name)
    known = np.isfinite(wanted).mean(axis=0)
    assert (known > 0.5).mean() > 0.9


def test_a_record_is_seen_from_when_it_is_published(watched: _Watching) -> None:
    """The day's record comes an hour after midnight; until then it is that of the day before."""
    of = (np.arange(5), "tow")
    midnight, one, two = (watched.batch.history(*of, START_S + s) for s in (0.0, 3599.0, 3600.0))
    name = "provider_history__acceptance_rate_30d"
    np.testing.assert_array_equal(midnight[name], one[name])
    assert not np.array_equal(one[name], two[name], equal_nan=True)
    with pytest.raises(ValueError, match="no provider_history was published"):
        watched.batch.history(*of, START_S - 10 * 86_400)
