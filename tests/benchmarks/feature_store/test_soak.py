import numpy as np
import pytest

from benchmarks.feature_store.made_rows import World, provider_ids
from benchmarks.feature_store.seen import Soak
from benchmarks.feature_store.soak import SAMPLES, soak


def _seen(values: np.ndarray) -> Soak:
    reads = np.arange(1, len(values) + 1) * 1_000.0
    return Soak(reads, values, values, values)


def test_a_slope_is_told_a_million_reads() -> None:
    """A megabyte more every thousand reads is a slope of a thousand, whatever the warm-up did."""
    values = np.arange(100.0)
    values[:10] = 500
    assert _seen(values).slope(values) == pytest.approx(1_000)


def test_ends_leave_the_warm_up_out() -> None:
    """What is compared is the first tenth after the warm-up and the last tenth."""
    values = np.concatenate([np.full(10, 9.0), np.full(80, 1.0), np.full(10, 2.0)])
    assert _seen(values).ends(values) == (1.0, 2.0)


def test_a_soak_makes_every_read() -> None:
    """So many reads are made as were asked for, of so many different entities each."""
    asked: list[list[str]] = []
    world = World(provider_ids(20), np.random.default_rng(0))
    found = soak(asked.append, world, entities=3, reads=SAMPLES + 7, done=lambda _: None)  # type: ignore[arg-type]
    assert len(asked) == found.reads[-1] == SAMPLES + 7
    assert {len(set(some)) for some in asked} == {3}
