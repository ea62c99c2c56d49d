"""NDCG and first choices of many events at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from training.evaluation import ranking

EVENTS = st.lists(st.lists(st.integers(0, 4), min_size=2, max_size=9), min_size=1, max_size=6)


@given(EVENTS, st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 5]))
def test_ndcg_is_that_of_scikit_learn(grades: list[list[int]], seed: int, at: int) -> None:
    """Over events of any size, in any order of rows, NDCG is scikit-learn's with gain 2^g - 1."""
    random = np.random.default_rng(seed)
    event = np.repeat(np.arange(len(grades)), [len(each) for each in grades])
    grade = np.concatenate(grades).astype(float)
    score = random.permutation(len(grade)).astype(float)  # no ties, which scikit-learn averages
    mixed = random.permutation(len(grade))
    found = ranking.ndcg(event[mixed], grade[mixed], score[mixed], len(grades), at)
    for number, of_event in enumerate(grades):
        if not any(of_event):
            assert np.isnan(found[number])
            continue
        gain = 2.0 ** np.array([of_event]) - 1
        expected = ndcg_score(gain, score[event == number][None], k=at)
        assert found[number] == pytest.approx(expected)


def test_ndcg_by_hand() -> None:
    """NDCG of two orders of the grades 3, 0, 1 is what the formula gives on paper."""
    event, grade = np.zeros(3, dtype=np.int64), np.array([3.0, 0.0, 1.0])
    best = 7 + 1 / np.log2(3)
    worst = 1 / np.log2(3) + 7 / np.log2(4)
    found = ranking.ndcg(event, grade, np.array([1.0, 3.0, 2.0]), 1, 5)
    assert found[0] == pytest.approx(worst / best)
    assert ranking.ndcg(event, grade, np.array([3.0, 1.0, 2.0]), 1, 5)[0] == pytest.approx(1)
    assert ranking.ndcg(event, grade, np.array([1.0, 2.0, 3.0]), 1, 1)[0] == pytest.approx(1 / 7)


def test_first_choices_are_the_highest_scores() -> None:
    """Each event's choice is its highest score; of equals, and of unknown ones, the first row."""
    event = np.array([1, 0, 1, 0, 2, 2])
    score = np.array([0.5, 0.1, 0.7, 0.1, -np.inf, -np.inf])
    np.testing.assert_array_equal(ranking.first_choices(event, score, 3), [1, 2, 4])


def test_events_of_equal_grades_do_not_count() -> None:
    """One offer, or grades that are all equal, cannot be ordered wrongly."""
    event, grade = np.array([0, 1, 1, 2, 2]), np.array([3.0, 1.0, 1.0, 0.0, 2.0])
    np.testing.assert_array_equal(ranking.can_be_wrong(event, grade, 3), [False, False, True])
