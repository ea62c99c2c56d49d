"""Filters."""

import pytest

from flink_jobs.redrive.selection import Selection
from tests.flink_jobs.letters import letter


@pytest.mark.parametrize(
    ("selection", "taken"),
    [
        (Selection(), True),
        (Selection(sources=("weather", "provider-gps")), True),
        (Selection(sources=("weather",)), False),
        (Selection(codes=("late", "out_of_range")), True),
        (Selection(codes=("late",)), False),
        (Selection(job="j"), True),
        (Selection(job="k"), False),
        (Selection(since_ms=100), True),
        (Selection(since_ms=101), False),
        (Selection(until_ms=101), True),
        (Selection(until_ms=100), False),
        (Selection(sources=("provider-gps",), codes=("late",)), False),
    ],
)
def test_a_letter_passes_when_every_filter_lets_it(selection: Selection, taken: bool) -> None:
    """Each filter counts; the start of a span is in it, its end is not."""
    assert selection.takes(letter(job="j", ts=100)) is taken
