"""The training set: rows, splits, propensities, and features as of the request."""

import numpy as np
import pandas as pd
import pytest

from feature_repo.model_matrix import MODEL_FEATURES
from tests.training.conftest import Prepared
from training import dataset
from training.errors import DataError


def test_rows_in_are_rows_out(prepared: Prepared, training_set: pd.DataFrame) -> None:
    """Every labelled offer is in the set once, with all features of the model as float32."""
    labelled = training_set[training_set["grade"].notna()]
    found = pd.read_parquet(prepared.work / "labels.parquet")
    assert len(labelled) == len(found)
    assert not training_set.duplicated(["event_id", "provider_id"]).any()
    assert (training_set[list(MODEL_FEATURES)].dtypes == np.float32).all()


@pytest.mark.parametrize("broken", [[0, 1], [0, 1, 1], [0, 1, 2, 2]])
def test_lost_or_doubled_rows_stop_the_step(broken: list[int]) -> None:
    """A retrieval of three rows that lost or doubled any is refused."""
    found = pd.DataFrame({"row_number": broken})
    with pytest.raises(DataError, match=f"asked for 3 rows and returned {len(broken)}"):
        dataset.require_same_rows(found, 3)


def test_a_join_that_loses_rows_stops_the_step(
    prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The count is asserted on what Feast really returned, not on what was asked."""

    class Lossy:
        def get_historical_features(self, entity_df: pd.DataFrame, **_: object) -> "Lossy":
            self.frame = entity_df.iloc[:-1]
            return self

        def to_df(self) -> pd.DataFrame:
            return self.frame

    del monkeypatch
    decisions = pd.read_parquet(prepared.data / "decisions").head(20)
    with pytest.raises(DataError, match="asked for 20 rows and returned 19"):
        dataset.retrieve(decisions, Lossy())  # type: ignore[arg-type]


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


def test_stage_propensities_by_hand() -> None:
    """A later offer's probability is its propensity over what the earlier ones left."""
    decisions = pd.DataFrame(
        {
            "event_id": ["a", "a", "a", "b"],
            "offered": [True, False, True, True],
            "offer_rank": [2, 0, 1, 1],
            "propensity": [0.2, 0.3, 0.5, 1.0],
        }
    )
    found = dataset.stage_propensities(decisions)
    np.testing.assert_allclose(found, [0.2 / 0.5, np.nan, 0.5, 1.0])


def test_a_repository_over_other_rows_is_refused(prepared: Prepared) -> None:
    """A registry that reads another archive is told, with the way to put it right."""
    with pytest.raises(DataError, match=r"feast apply.*FEATURE_DATA_DIR"):
        dataset.open_store(prepared.feature_repo, prepared.data / "elsewhere")
