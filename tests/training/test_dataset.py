"""The training set: rows, splits, propensities, and features as of the request."""

import numpy as np
import pandas as pd
import pytest

from feature_repo.model_matrix import MODEL_FEATURES
from tests.training.conftest import Prepared
from training.files import LABELS, read_frame


def test_rows_in_are_rows_out(prepared: Prepared, training_set: pd.DataFrame) -> None:
    """Every labelled offer is in the set once, with all features of the model as float32."""
    labelled = training_set[training_set["grade"].notna()]
    found = read_frame(prepared.work / LABELS, "labels")
    assert len(labelled) == len(found)
    assert not training_set.duplicated(["event_id", "provider_id"]).any()
    assert (training_set[list(MODEL_FEATURES)].dtypes == np.float32).all()


def test_features_are_as_of_the_request(prepared: Prepared, training_set: pd.DataFrame) -> None:
    """The profile's cost and the newest fix known at the request are what the offline rows say."""
    profile = pd.read_parquet(prepared.data / "offline" / "provider_profile")
    cost = training_set["provider_id"].map(profile.set_index("provider_id")["cost_per_job_usd"])
    found = training_set["provider_profile__cost_per_job_usd"]
    np.testing.assert_allclose(found, cost, rtol=1e-6)
    motion = pd.read_parquet(prepared.data / "offline" / "provider_motion")
    for _, row in training_set.sample(20, random_state=1).iterrows():
        of_provider = motion[motion["provider_id"] == row["provider_id"]]
        newest = of_provider[of_provider["created_timestamp"] <= row["request_ts"]]
        age = row["request_time__motion_age_s"]
        if newest.empty:
            assert np.isnan(age)
        else:
            expected = (row["request_ts"] - newest["event_timestamp"].max()).total_seconds()
            assert age == pytest.approx(expected, abs=0.01)


def test_later_events_test_what_earlier_ones_taught(training_set: pd.DataFrame) -> None:
    """The splits follow each other in time and share no event."""
    span = training_set.groupby("split")["request_ts"].agg(["min", "max"])
    assert span.loc["train", "max"] < span.loc["calibrate", "min"]
    assert span.loc["calibrate", "max"] < span.loc["test", "min"]
    assert training_set.groupby("event_id")["split"].nunique().max() == 1
