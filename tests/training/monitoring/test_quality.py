"""Calibration on ripe labels, and how labels ripen."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from training.monitoring import quality
from training.monitoring.findings import Kind
from training.monitoring.limits import Limits

START = pd.Timestamp("2026-01-05 12:00", tz="UTC")
LATER = START + pd.Timedelta(hours=12)


def _day(chance: float, offers: int = 1000) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return candidates of one chance and outcomes: half succeed, of these half after 3 h."""
    ids = [f"e{number}" for number in range(offers)]
    candidates = pd.DataFrame(
        {"event_id": ids, "request_ts": START, "provider_id": "p", "success_probability": chance}
    )
    number = np.arange(offers)
    completed_h = pd.Series(np.select([number % 4 == 0, number % 4 == 1], [0.8, 3.0], np.nan))
    is_completed = completed_h.notna()
    # pandas rounds whatever lies in memory where a float is NaN, and may warn of it
    completed = START + pd.to_timedelta(completed_h.fillna(0), unit="h").where(is_completed)
    arrived = pd.Series(START + pd.Timedelta(hours=0.5), index=completed.index)
    outcomes = pd.DataFrame(
        {
            "event_id": ids,
            "provider_id": "p",
            "offered_ts": START,
            "recorded_ts": START,
            "accepted": pd.array(is_completed, dtype="boolean"),
            "promised_arrival_ts": START + pd.Timedelta(minutes=45),
            "arrived_ts": arrived.where(is_completed),
            "completed_ts": completed,
            "cancelled_ts": pd.NaT,
            "satisfaction": pd.array([pd.NA] * offers, dtype="Int32"),
            "satisfaction_ts": pd.NaT,
        }
    )
    return candidates, outcomes


def test_early_labels_are_biased_and_ripen() -> None:
    """At an hour half of the successes are not known yet; at four hours all are."""
    found = quality.measure(*_day(0.5), LATER)
    success = found.ripening.set_index("age_h")["success"]
    assert success.to_dict() == {0.5: 0, 1: 0.25, 2: 0.25, 4: 0.5, 6: 0.5}
    other = found.ripening.set_index("age_h")["other_success"]
    assert other.to_dict() == {0.5: 0.5, 1: 0.25, 2: 0.25, 4: 0, 6: 0}


def test_right_chances_pass_and_wrong_ones_stop() -> None:
    """Half succeed: 50 % is calibrated, 80 % is not, and the finding tells both numbers."""
    assert quality.findings(quality.measure(*_day(0.5), LATER), Limits()) == []
    (found,) = quality.findings(quality.measure(*_day(0.8), LATER), Limits())
    assert found.kind is Kind.CALIBRATION
    assert found.value == pytest.approx(0.3)
    assert "where 80% was told" in found.detail


def test_scores_of_each_age_are_of_its_labels() -> None:
    """Half succeed where 80 % was told: Brier (0.2^2 + 0.8^2) / 2 = 0.34, error 0.3, in the end.

    At an hour a quarter did: 0.25 x 0.04 + 0.75 x 0.64 = 0.49, and 0.55.
    """
    found = quality.measure(*_day(0.8), LATER).ripening.set_index("age_h")
    assert found.loc[[1, 6], "brier"].tolist() == pytest.approx([0.49, 0.34])
    assert found.loc[[1, 6], "calibration_error"].tolist() == pytest.approx([0.55, 0.3])
    # one chance for all ranks nobody, and before any success there is nobody to rank
    assert found["auc"].dropna().tolist() == [0.5] * 4
    assert np.isnan(found.loc[0.5, "auc"])


def test_few_labels_may_be_farther_off() -> None:
    """What luck makes of right chances is no finding, even beyond the limit."""
    measured = quality.measure(*_day(0.8), LATER)
    lucky = replace(measured, error=0.14, error_if_right=0.15)
    assert quality.findings(lucky, Limits()) == []
    (found,) = quality.findings(replace(measured, error=0.16, error_if_right=0.15), Limits())
    assert found.limit == 0.15


def test_unripe_labels_are_no_failures() -> None:
    """Before the maturity window has passed nothing is judged, and that is told."""
    soon = quality.measure(*_day(0.5), START + pd.Timedelta(hours=5))
    assert soon.deciles.empty
    (found,) = quality.findings(soon, Limits())
    assert found.kind is Kind.UNRIPE
    assert found.detail == (
        "0 ripe labels of these decisions, 1000 unripe, by outcomes known until 2026-01-05 17:00 "
        "UTC; the last is final about 2026-01-05 18:00 UTC"
    )


def test_a_correction_counts_from_when_it_was_made() -> None:
    """What was recorded five hours after the offer is not known at four."""
    candidates, outcomes = _day(0.5)
    corrected = outcomes.assign(
        recorded_ts=START + pd.Timedelta(hours=5), completed_ts=pd.NaT, arrived_ts=pd.NaT
    )
    both = pd.concat([outcomes, corrected], ignore_index=True)
    success = quality.measure(candidates, both, LATER).ripening.set_index("age_h")["success"]
    assert success[4] == 0.5
    assert success[6] == 0


def test_deciles_hold_what_happened() -> None:
    """Each tenth has its share inside its interval."""
    rng = np.random.default_rng(2)
    chance = pd.Series(rng.random(2000))
    deciles = quality.by_decile(chance, pd.Series(rng.random(2000) < chance))
    assert list(deciles["offers"]) == [200] * 10
    assert (
        (deciles["low"] <= deciles["happened"]) & (deciles["happened"] <= deciles["high"])
    ).all()
    assert (
        (deciles["low"] <= deciles["chance"]) & (deciles["chance"] <= deciles["high"])
    ).sum() >= 7
