"""Intervals over events."""

import numpy as np
import pytest

from training.evaluation import intervals
from training.evaluation.intervals import EventSums

RATE = 0.3
SEEDS = 200


def _simulated(seed: int, events: int = 150) -> EventSums:
    """Offers that succeed at RATE on average, alike within an event, one to six an event."""
    random = np.random.default_rng(seed)
    of_event = random.beta(3, 7, events)
    offers = random.integers(1, 7, events)
    succeeded = random.binomial(offers, of_event)
    return EventSums.of({"rate": (succeeded.astype(float), offers.astype(float))})


def test_intervals_cover_the_truth() -> None:
    """Of 200 simulated archives the 95 % interval holds the true rate in 90 to 99 %."""
    found = [intervals.estimates(_simulated(seed), seed)["rate"] for seed in range(SEEDS)]
    covered = np.mean([each.low <= RATE <= each.high for each in found])
    assert 0.90 <= covered <= 0.99


def test_paired_intervals_cover_the_difference() -> None:
    """A difference of 0.05 between two models is covered in 90 to 99 % of 200 archives."""
    covered = []
    for seed in range(SEEDS):
        random = np.random.default_rng(seed)
        hard, ones = random.normal(0, 1, 150), np.ones(150)
        better = EventSums.of({"error": (hard + random.normal(0.05, 0.1, 150), ones)})
        found = intervals.differences(better, EventSums.of({"error": (hard, ones)}), seed)["error"]
        covered.append(found.low <= 0.05 <= found.high)
    assert 0.90 <= np.mean(covered) <= 0.99


def test_a_paired_difference_is_surer_than_its_parts() -> None:
    """What is hard for both models cancels: the difference has a narrower interval than either."""
    random = np.random.default_rng(1)
    hard, ones = random.normal(0, 1, 300), np.ones(300)
    one = EventSums.of({"error": (hard + random.normal(0.1, 0.1, 300), ones)})
    other = EventSums.of({"error": (hard, ones)})
    difference = intervals.differences(one, other, 1)["error"]
    alone = intervals.estimates(one, 1)["error"]
    assert difference.sign == 1
    assert difference.high - difference.low < 0.3 * (alone.high - alone.low)


def test_the_same_seed_gives_the_same_interval() -> None:
    """Intervals repeat, another seed gives others, and chunks of weights do not matter."""
    sums = _simulated(3)
    first = intervals.estimates(sums, 7)
    assert intervals.estimates(sums, 7) == first
    assert intervals.estimates(sums, 8) != first
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intervals, "_WEIGHTS_AT_ONCE", 10 * len(sums.over))
        in_chunks = intervals.estimates(sums, 7)["rate"]
    assert in_chunks.low == pytest.approx(first["rate"].low, rel=1e-5)


def test_what_no_event_tells_is_unknown() -> None:
    """A metric that no event counts for is NaN with NaN bounds, and has no sign."""
    none = EventSums.of({"rate": (np.zeros(4), np.zeros(4))})
    found = intervals.estimates(none, 1)["rate"]
    assert np.isnan([found.value, found.low, found.high]).all()
    assert found.sign == 0


def test_other_events_cannot_be_paired() -> None:
    """Sums of another number of events are refused with what to do."""
    with pytest.raises(ValueError, match="measure both on the same cases"):
        intervals.differences(_simulated(1, 10), _simulated(1, 11), 1)
