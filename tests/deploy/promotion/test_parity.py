import msgspec
import numpy as np
import pytest

from deploy.promotion.answers import read
from deploy.promotion.captured import answers, pairs
from deploy.promotion.parity import compare


def body(scores: list[float], chances: list[float], minutes: float = 10.0) -> bytes:
    """Return an answer's body."""
    columns = {
        "scores": scores,
        "eta_p50_min": [minutes] * len(scores),
        "eta_p90_min": [20.0] * len(scores),
        "success_probability": chances,
    }
    packed = {name: np.array(c, dtype="<f4").tobytes() for name, c in columns.items()}
    return msgspec.msgpack.encode({"bundle_version": "b", **packed})


def test_equal_scores_share_their_ranks() -> None:
    """Spearman's correlation with ties, worked out by hand: ranks 1, 2.5, 2.5, 4 and 1, 3, 2, 4."""
    chances = [0.5] * 4
    found = compare([(body([1, 2, 2, 3], chances), body([1, 3, 2, 4], chances))])
    assert found.rank_correlation == pytest.approx(4.5 / (4.5 * 5) ** 0.5, abs=1e-6)


def test_the_chance_lost_is_productions_own() -> None:
    """Production gives its first 0.9 and the shadow's first 0.6: 0.3 is lost if it is right."""
    ours, theirs = body([3, 2, 1], [0.9, 0.6, 0.1]), body([2, 3, 1], [0.1, 0.2, 0.3])
    found = compare([(ours, theirs), (ours, ours)])
    assert found.chance_lost == pytest.approx(0.15)
    assert found.same_first == 0.5
    assert found.chance_shift == pytest.approx((0.2 - 1.6 / 3) / 2)


def test_what_production_did_not_answer_well_is_not_the_shadows_fault() -> None:
    """A pair counts only where production's answer is one; nobody to compare with is no failure."""
    good, broken = body([1, 2], [0.1, 0.2]), b"<html>"
    found = compare([(broken, good), (good, broken), (good, good)])
    assert (found.pairs, found.invalid) == (1, 1)


def test_answers_of_other_lengths_are_no_pair() -> None:
    """An answer for another number of candidates is invalid."""
    found = compare([(body([1, 2], [0.1, 0.2]), body([1, 2, 3], [0.1, 0.2, 0.3]))])
    assert (found.pairs, found.invalid) == (0, 1)


def test_one_candidate_has_no_order_to_compare() -> None:
    """A single candidate counts as a pair, and says nothing of order."""
    one = body([1.0], [0.5])
    found = compare([(one, one), (body([1, 2], [0.1, 0.2]), body([1, 2], [0.1, 0.2]))])
    assert (found.pairs, found.rank_correlation) == (2, pytest.approx(1.0))


def test_a_body_with_columns_of_other_lengths_is_no_answer() -> None:
    """Half an answer is none."""
    assert read(body([1, 2], [0.5])) is None


def test_pairs_are_the_same_question_once() -> None:
    """A question that only one was asked is left out; one that was asked twice counts once."""
    production = [("a", b"1"), ("b", b"2"), ("a", b"1")]
    assert pairs(production, [("a", b"3"), ("c", b"4"), ("a", b"3")]) == [(b"1", b"3")]


def test_a_request_without_an_answer_is_left_out() -> None:
    """Data capture notes questions that failed, too."""
    line = b'{"captureData": {"endpointInput": {"data": "cQ==", "encoding": "BASE64"}}}'
    assert list(answers(line)) == []
