"""What a ranking gains over others, from the log alone."""

import numpy as np
import pandas as pd
import pytest

from training.errors import DataError
from training.evaluation import rules
from training.evaluation.cases import TRUTH, predict
from training.evaluation.evaluate import Evaluated
from training.models import TrainedModels
from training.off_policy import gains

RULES = ("nearest", "lowest_eta", "history_only")


@pytest.fixture(scope="module")
def scores(evaluated: Evaluated, trained: TrainedModels) -> dict[str, np.ndarray]:
    """The model's, the oracle's and the rules' scores of the test rows."""
    said = {name: found.score for name, found in rules.predictions(evaluated.cases).items()}
    return {**said, "model": predict(trained, evaluated.cases.rows).score}


@pytest.fixture(scope="module")
def chance(evaluated: Evaluated, trained: TrainedModels) -> np.ndarray:
    """The chance that the model gives each test row."""
    found = predict(trained, evaluated.cases.rows).chance
    assert found is not None
    return found


def _truth(rows: pd.DataFrame, score: np.ndarray) -> pd.Series:
    """Return the true chance of the first choice of each event."""
    best = rows.assign(score=score).sort_values("score", ascending=False, kind="stable")
    return best.groupby("event_id")[TRUTH].first()


@pytest.mark.parametrize("other", RULES)
def test_the_log_tells_what_is_true(
    evaluated: Evaluated, scores: dict[str, np.ndarray], chance: np.ndarray, other: str
) -> None:
    """The interval of the model's gain covers the gain in true chances, which it never saw."""
    rows = evaluated.cases.rows
    found = gains.of(rows.drop(columns=TRUTH), chance, scores, "model")[other]
    whole = rows[gains.is_whole(rows)]
    chosen = {name: score[gains.is_whole(rows)] for name, score in scores.items()}
    true = (_truth(whole, chosen["model"]) - _truth(whole, chosen[other])).mean()
    assert found.low < true < found.high
    assert found.high - found.low < 1


def test_a_wrong_reward_model_is_put_right_by_the_log(
    evaluated: Evaluated, scores: dict[str, np.ndarray], chance: np.ndarray
) -> None:
    """Chances that are wrong for all alike move no gain by more than its interval's half."""
    rows = evaluated.cases.rows
    found = gains.of(rows, chance, scores, "oracle")["history_only"]
    off = gains.of(rows, np.full_like(chance, 0.5), scores, "oracle")["history_only"]
    assert abs(found.value - off.value) < (off.high - off.low) / 2


def test_an_event_without_all_candidates_is_left_out(evaluated: Evaluated) -> None:
    """A candidate that is missing takes its whole event along; others stay."""
    rows = evaluated.cases.rows
    whole = gains.is_whole(rows)
    event = rows.loc[whole, "event_id"].iloc[0]
    fewer = rows.drop(index=rows.index[rows["event_id"] == event][-1])
    assert set(rows.loc[whole, "event_id"]) - set(fewer.loc[gains.is_whole(fewer), "event_id"]) == {
        event
    }


def test_too_few_events_are_an_error(
    evaluated: Evaluated, scores: dict[str, np.ndarray], chance: np.ndarray
) -> None:
    """A handful of events tells nothing: the message says how to get more."""
    rows = evaluated.cases.rows
    some = rows["event_id"].isin(rows.loc[gains.is_whole(rows), "event_id"].unique()[:5])
    few = some.to_numpy()
    part = {name: score[few] for name, score in scores.items()}
    with pytest.raises(DataError, match=r"5 test events.*--whole-events"):
        gains.of(rows[few], chance[few], part, "model")
