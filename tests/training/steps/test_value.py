"""In which currency a model's gain is told."""

import pandas as pd

from training.evaluation import evaluate
from training.evaluation.cases import TRUTH
from training.evaluation.evaluate import Evaluated
from training.evaluation.results import INCUMBENT
from training.evaluation.rules import RULES
from training.models import TrainedModels
from training.steps import value


def test_the_truth_is_taken_where_it_is_known(evaluated: Evaluated, trained: TrainedModels) -> None:
    """An archive of the simulator is judged by true chances, as the page tells them."""
    found = value.measure(evaluated, trained, None)
    assert found.metric == value.TRUE
    for rule in RULES:
        assert found.gains[rule] == evaluated.results.model_less[rule][value.TRUE]


def test_without_the_truth_the_log_must_do(
    training_set: pd.DataFrame, trained: TrainedModels
) -> None:
    """Logged decisions are judged by what they earned; the same model gains nothing over itself."""
    unknown = training_set.drop(columns=TRUTH)
    evaluated = evaluate.evaluate(unknown, trained, 7, quick=True, incumbent=trained)
    found = value.measure(evaluated, trained, trained)
    assert found.metric == value.OFF_POLICY
    assert found.gains.keys() == {*RULES, INCUMBENT}
    assert found.gains[INCUMBENT].value == found.gains[INCUMBENT].high == 0
    assert found.gains["history_only"].value > 0
