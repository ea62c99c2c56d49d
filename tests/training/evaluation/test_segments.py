"""Segments of the test events."""

from dataclasses import replace

import numpy as np
import pytest

from training.evaluation import segments
from training.evaluation.cases import Cases
from training.evaluation.evaluate import Evaluated
from training.evaluation.intervals import Estimate, EventSums, estimates


def test_segments_partition_the_events(evaluated: Evaluated) -> None:
    """In each dimension every event is in one segment, and their sums make up the whole."""
    for labels in segments.dimensions(evaluated.cases).values():
        parts = [evaluated.sums.of_events(labels == name) for name in np.unique(labels)]
        assert sum(len(part.over) for part in parts) == evaluated.cases.events
        np.testing.assert_allclose(
            sum(part.over.sum(axis=0) for part in parts), evaluated.sums.over.sum(axis=0)
        )


def test_every_dimension_of_the_design_is_there(evaluated: Evaluated) -> None:
    """Region, weather, service, vehicle class and hour are told apart, none of them empty."""
    found = {segment.dimension for segment in evaluated.results.segments}
    assert found == {"metro", "area (H3)", "weather", "service", "vehicle class", "solar hour"}
    names = {s.name for s in evaluated.results.segments if s.dimension == "service"}
    assert names == set(evaluated.cases.rows["service"])


def test_a_bad_segment_is_told_and_comes_first(evaluated: Evaluated) -> None:
    """Where the first choice is planted wrong in one class, that class is worse and first."""
    classes = segments.dimensions(evaluated.cases)["vehicle class"]
    busiest = max(set(classes), key=lambda name: (classes == name).sum())
    at = evaluated.sums.names.index("ndcg_at_1")
    over = evaluated.sums.over.copy()
    over[classes == busiest, at] = -1.0  # below what any order could have
    spoilt = EventSums(evaluated.sums.names, over, evaluated.sums.under)
    # the busiest class is most of all events, so these are taken as they were
    found = segments.measure(evaluated.cases, spoilt, estimates(evaluated.sums, 7), 7)
    of_class = [segment for segment in found if segment.dimension == "vehicle class"]
    assert of_class[0].name == busiest
    assert "ndcg_at_1" in of_class[0].worse


@pytest.mark.parametrize(
    ("name", "low", "high", "overall", "worse"),
    [
        ("ndcg_at_1", 0.4, 0.5, 0.6, True),
        ("ndcg_at_1", 0.5, 0.7, 0.6, False),
        ("ndcg_at_1", 0.7, 0.8, 0.6, False),
        ("eta_mae_min", 4.0, 5.0, 3.0, True),
        ("eta_mae_min", 2.0, 2.5, 3.0, False),
        # where an aim is best, either side of it can be worse
        ("eta_bias_min", 1.0, 2.0, 0.5, True),
        ("eta_bias_min", -2.0, -1.0, 0.5, True),
        ("eta_bias_min", -1.0, 1.0, 0.5, False),
        ("eta_bias_min", 0.2, 0.4, 0.5, False),
        ("eta_p90_coverage", 0.7, 0.8, 0.89, True),
        ("eta_p90_coverage", 0.95, 0.98, 0.89, True),
        ("eta_p90_coverage", 0.85, 0.95, 0.89, False),
    ],
)
def test_worse_is_a_whole_interval_on_the_bad_side(
    name: str, low: float, high: float, overall: float, worse: bool
) -> None:
    """A segment is worse in a metric only if all of its interval is farther from what is best."""
    found = Estimate((low + high) / 2, low, high)
    assert segments._is_worse(name, found, overall) is worse


def test_what_few_events_tell_is_never_worse(evaluated: Evaluated) -> None:
    """A metric that ten events of a large segment count for is shown, and not called worse."""
    at = evaluated.sums.names.index("ndcg_at_1")
    over, under = evaluated.sums.over.copy(), np.ones_like(evaluated.sums.under)
    over[:, at], under[10:, at] = -1.0, 0.0
    sums = EventSums(evaluated.sums.names, over, under)
    overall = {name: Estimate(0.5, 0.4, 0.6) for name in sums.names}
    found = segments.measure(evaluated.cases, sums, overall, 7)
    assert any(not segment.small for segment in found)
    assert not any("ndcg_at_1" in segment.worse for segment in found)


def test_small_segments_are_shown_and_marked(evaluated: Evaluated) -> None:
    """A segment of a few events keeps its numbers, is marked, and is never called worse."""
    few = evaluated.cases.rows["event_id"].isin(evaluated.cases.rows["event_id"].unique()[:10])
    rows = evaluated.cases.rows.assign(
        request_time__hour_of_day=np.where(few, 3.5, 12.5).astype(np.float32)
    )
    cases = replace(evaluated.cases, rows=rows)
    found = segments.measure(cases, evaluated.sums, estimates(evaluated.sums, 7), 7)
    hours = {s.name: s for s in found if s.dimension == "solar hour"}
    assert hours["03 to 06 h"].small
    assert hours["03 to 06 h"].events == 10
    assert hours["03 to 06 h"].worse == ()
    assert not hours["12 to 15 h"].small


@pytest.mark.parametrize(
    ("rain", "snow", "alert", "expected"),
    [
        (0.0, 0.0, 0, "dry"),
        (2.0, 0.0, 0, "rain"),
        (2.0, 1.0, 0, "snow or alert"),
        (0.0, 0.0, 2, "snow or alert"),
        (np.nan, np.nan, np.nan, "unknown"),
    ],
)
def test_weather_is_what_the_features_said(
    evaluated: Evaluated, rain: float, snow: float, alert: float, expected: str
) -> None:
    """Snow or an alert outweighs rain, and unknown conditions are a segment of their own."""
    rows = evaluated.cases.rows.head(1).assign(
        cell_conditions__precip_mm_h=rain,
        cell_conditions__snow_cm=snow,
        cell_conditions__alert_level=alert,
    )
    cases = Cases(rows, np.zeros(1, dtype=np.int64), 1)
    assert segments.dimensions(cases)["weather"].tolist() == [expected]
