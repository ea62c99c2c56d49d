"""The gate before training."""

import warnings
from collections.abc import Iterator

import pandas as pd
import pytest

from training import checks
from training.errors import GateError


@pytest.fixture(autouse=True)
def _third_party_deprecations() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="great_expectations")
        warnings.filterwarnings("ignore", category=FutureWarning, module="great_expectations")
        yield


def test_sound_data_passes(training_set: pd.DataFrame) -> None:
    """The simulator's training set passes every check."""
    findings = checks.require(training_set)
    assert all(finding.holds for finding in findings)


def test_values_from_the_future_stop_training(training_set: pd.DataFrame) -> None:
    """A negative age, a feature from after the request, fails the gate, which names the row."""
    leaking = training_set.copy()
    row = leaking["grade"].notna().idxmax()
    leaking.loc[row, "request_time__motion_age_s"] = -1.0
    with pytest.raises(GateError, match="request_time__motion_age_s") as failed:
        checks.require(leaking)
    assert "1 of" in str(failed.value)
    assert f"event_id={leaking.loc[row, 'event_id']}, provider_id=" in str(failed.value)


def test_a_dead_source_stops_training(training_set: pd.DataFrame) -> None:
    """A view without any value fails the gate, and so do doubled rows."""
    dead = training_set.assign(provider_motion__speed_mean_kph=float("nan"))
    with pytest.raises(GateError, match="provider_motion__speed_mean_kph"):
        checks.require(dead)
    with pytest.raises(GateError, match="compound columns to be unique"):
        checks.require(pd.concat([training_set, training_set]))
