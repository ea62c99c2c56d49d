"""The models without a view."""

import numpy as np
import pandas as pd
import pytest

from feature_repo.analyst_frames import request_columns, stored_columns
from feature_repo.model_matrix import MODEL_FEATURES, model_matrix
from feature_repo.schema import VIEWS, Kind
from tests.training.conftest import Prepared
from training import models, retrieval
from training.evaluation import ablation, staleness, verdicts, view_costs
from training.evaluation.cases import predict, select_cases
from training.evaluation.evaluate import Evaluated
from training.evaluation.measures import event_sums
from training.files import DECISIONS, read_frame

INFORMATIVE = "provider_history"


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_removed_as_if_serving_had_never_seen_it(
    prepared: Prepared, evaluated: Evaluated, view: str
) -> None:
    """The frame without a view is the model matrix made of stored features that lack it."""
    decisions = read_frame(prepared.data / DECISIONS, "the fixture")
    requested = staleness.requests(evaluated.cases, decisions)
    store = retrieval.open_store(prepared.feature_repo, prepared.data / "offline")
    columns = stored_columns(retrieval.retrieve(requested, store))
    for column in VIEWS[view].columns:
        nothing = "" if column.kind is Kind.STRING else np.nan
        columns[f"{view}__{column.name}"] = np.full(len(requested), nothing)
    expected = model_matrix(columns, request_columns(requested))
    found = ablation.without(evaluated.cases.rows, view)[list(MODEL_FEATURES)]
    np.testing.assert_allclose(found.to_numpy(), expected, rtol=1e-4, atol=1e-4)


def test_nothing_computed_at_the_request_is_left(evaluated: Evaluated) -> None:
    """Without request-time features all of them are unknown, and no other is touched."""
    found = ablation.without(evaluated.cases.rows, ablation.REQUEST_TIME)
    computed = [name for name in MODEL_FEATURES if name.startswith("request_time__")]
    assert found[computed].isna().all(axis=None)
    others = [name for name in MODEL_FEATURES if name not in computed]
    pd.testing.assert_frame_equal(found[others], evaluated.cases.rows[others])


def test_only_the_informative_view_is_worth_having(
    training_set: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where one view alone decides success, a model without it is worse and others do as well."""
    monkeypatch.setitem(models._COMMON, "iterations", 40)
    frame = _record_decides(training_set)
    cases = select_cases(frame)
    with_all = event_sums(cases, predict(models.train(frame, 7), cases.rows))
    monkeypatch.setattr(ablation, "GROUPS", (INFORMATIVE, "provider_profile"))
    found = {each.group: each.gained for each in ablation.measure(frame, cases, with_all, 7)}
    assert {"ndcg_at_1", "success_brier"} <= set(verdicts.of(found[INFORMATIVE]).better)
    assert found[INFORMATIVE]["ndcg_at_1"].value > 5 * abs(
        found["provider_profile"]["ndcg_at_1"].value
    )


def _record_decides(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with features of one view that are drawn anew, and decide success."""
    random = np.random.default_rng(3)
    names = [name for name in MODEL_FEATURES if name.startswith(f"{INFORMATIVE}__")]
    drawn = dict.fromkeys(names, random.random(len(frame)).astype(np.float32))
    good = drawn[names[0]] > 0.6
    grade = np.where(frame["grade"].isna(), np.nan, np.where(good, 4.0, 0.0))
    return frame.assign(**drawn, grade=grade, success=good)


def test_costs_are_those_of_the_rows_served() -> None:
    """A row's cost is its packed size; a cell's view is read once, a provider's per candidate."""
    found = view_costs.costs()
    assert found["cell_demand"].row_bytes == 32 + 8 + 3 * 4
    assert found["cell_demand"].rows_read == 1
    assert found["provider_history"].rows_read == view_costs.CANDIDATES
    assert not found["provider_history"].streamed
    assert found["provider_motion"].streamed
