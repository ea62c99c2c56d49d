"""What is made of samples of a job's counts."""

import pytest

from benchmarks.streaming.counts import Counts
from benchmarks.streaming.window import Sample, ends_soon, window_of


def test_a_window_is_what_happened_between_its_first_and_last_sample() -> None:
    """Totals before the window do not count; rates are by the time that really passed."""
    samples = [
        Sample(10.0, Counts(events=1000, rows=500, late=3)),
        Sample(11.0, Counts(events=3000, rows=500, late=3)),
        Sample(13.0, Counts(events=4000, rows=900, late=4)),
    ]
    window = window_of(samples, {"Redis": 1.5})
    assert (window.events, window.rows, window.late, window.seconds) == (3000, 400, 1, 3.0)
    assert window.event_rates == [2000, 500]
    assert window.row_rates == [0, 200]
    assert window.events_per_s == pytest.approx(1000)
    assert window.cpu_ms_per_1000("Redis", of=window.events) == pytest.approx(500)


def test_counting_ends_before_the_backlog_does() -> None:
    """With three more steps like the last one the backlog would be at its end."""
    samples = [Sample(0.0, Counts(100, 0, 0)), Sample(1.0, Counts(200, 0, 0))]
    assert ends_soon(samples, 500)
    assert not ends_soon(samples, 501)
