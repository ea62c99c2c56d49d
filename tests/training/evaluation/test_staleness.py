"""Decisions with old features."""

import numpy as np
import pandas as pd
import pytest

from feature_repo.model_matrix import MODEL_FEATURES
from feature_repo.schema import PROVIDER_MOTION, STREAM_VIEWS
from tests.training.conftest import Prepared
from training import retrieval
from training.errors import DataError
from training.evaluation import staleness
from training.evaluation.cases import predict_matrix
from training.evaluation.evaluate import Evaluated
from training.evaluation.intervals import estimates
from training.evaluation.measures import event_sums
from training.evaluation.staleness import Delayed
from training.files import DECISIONS, read_frame
from training.models import TrainedModels, matrix

MOTION = [
    MODEL_FEATURES.index(f"provider_motion__{name}") for name in ("speed_mean_kph", "ping_count")
]


@pytest.fixture(scope="module")
def decisions(prepared: Prepared) -> pd.DataFrame:
    """The archive's decisions."""
    return read_frame(prepared.data / DECISIONS, "the fixture")


def _delayed(
    prepared: Prepared, evaluated: Evaluated, decisions: pd.DataFrame, delay_min: float
) -> Delayed:
    requested = staleness.requests(evaluated.cases, decisions)
    store = retrieval.open_store(prepared.feature_repo, prepared.data / "offline")
    return Delayed(
        evaluated.cases,
        staleness.request_columns(requested),
        staleness.features_earlier(requested, store, 0.0),
        staleness.features_earlier(requested, store, delay_min),
        delay_min,
    )


def test_no_delay_is_the_plain_evaluation(
    prepared: Prepared,
    evaluated: Evaluated,
    trained: TrainedModels,
    decisions: pd.DataFrame,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At 0 minutes the matrix is the training set's, and no metric of any view changes."""
    delayed = _delayed(prepared, evaluated, decisions, 0.0)
    for mode in (True, False):
        found = delayed.matrix(STREAM_VIEWS, as_if_current=mode)
        np.testing.assert_array_equal(found, matrix(evaluated.cases.rows))
    monkeypatch.setattr(staleness, "DELAYS_MIN", (0.0,))
    store = retrieval.open_store(prepared.feature_repo, prepared.data / "offline")
    for each in staleness.measure(evaluated.cases, trained, decisions, store, 7):
        known = [e.value for e in (*each.kept.values(), *each.limited.values())]
        assert set(known) <= {0.0}


def test_what_is_beyond_the_limit_is_unknown_as_in_serving(
    prepared: Prepared, evaluated: Evaluated, decisions: pd.DataFrame
) -> None:
    """Five minutes old, motion is unknown with limits; taken as current, it is as it was then."""
    delayed = _delayed(prepared, evaluated, decisions, 5.0)
    limited = delayed.matrix([PROVIDER_MOTION], as_if_current=False)
    assert np.isnan(limited[:, MOTION]).all()
    kept = delayed.matrix([PROVIDER_MOTION], as_if_current=True)
    then = np.column_stack([delayed.earlier[MODEL_FEATURES[index]] for index in MOTION])
    known = ~np.isnan(kept[:, MOTION])
    assert known.mean() > 0.5
    np.testing.assert_allclose(kept[:, MOTION][known], then[known], rtol=1e-6)
    age = kept[:, MODEL_FEATURES.index("request_time__motion_age_s")]
    assert (age[known[:, 0]] <= 120).all()


def test_changes_are_old_less_new_and_kept_less_limited(
    prepared: Prepared, evaluated: Evaluated, trained: TrainedModels, decisions: pd.DataFrame
) -> None:
    """A metric that age makes smaller has a negative change; the last is what the limit costs."""
    delayed = _delayed(prepared, evaluated, decisions, 5.0)
    one = (PROVIDER_MOTION.name, [PROVIDER_MOTION])
    found = staleness._compare(delayed, one, trained, evaluated.sums, 7)
    fresh, kept, limited = (
        estimates(sums, 7)
        for sums in (
            evaluated.sums,
            *(
                event_sums(evaluated.cases, predict_matrix(trained, delayed.matrix(one[1], **mode)))
                for mode in ({"as_if_current": True}, {"as_if_current": False})
            ),
        )
    )
    for name, value in fresh.items():
        old, none = kept[name].value, limited[name].value
        assert found.kept[name].value == pytest.approx(old - value.value)
        assert found.limited[name].value == pytest.approx(none - value.value)
        assert found.kept_less_limited[name].value == pytest.approx(old - none)
    assert found.limited["eta_mae_min"].value != 0


def test_only_the_delayed_view_is_old(
    prepared: Prepared, evaluated: Evaluated, decisions: pd.DataFrame
) -> None:
    """Features of the other views, and those computed from them alone, stay as they were."""
    delayed = _delayed(prepared, evaluated, decisions, 5.0)
    found = delayed.matrix([PROVIDER_MOTION], as_if_current=True)
    others = [
        index
        for index, name in enumerate(MODEL_FEATURES)
        if not name.startswith(("provider_motion__", "request_time__"))
    ]
    np.testing.assert_array_equal(found[:, others], matrix(evaluated.cases.rows)[:, others])


def test_decisions_of_another_archive_are_refused(
    evaluated: Evaluated, decisions: pd.DataFrame
) -> None:
    """Test rows that the decisions lack are counted, with the way to put it right."""
    with pytest.raises(DataError, match=r"lack .* test rows: give as --data the archive"):
        staleness.requests(evaluated.cases, decisions.head(100))
