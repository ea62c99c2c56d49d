"""What a model's first choices are worth over others', in the best currency that an archive has."""

from collections.abc import Mapping
from dataclasses import dataclass

from training.evaluation import rules
from training.evaluation.cases import Cases, predict
from training.evaluation.evaluate import Evaluated
from training.evaluation.intervals import Estimate
from training.evaluation.results import INCUMBENT, MODEL
from training.evaluation.rules import RULES
from training.models import TrainedModels
from training.off_policy import gains

TRUE, OFF_POLICY = "true_success_at_1", "off_policy_success_at_1"


@dataclass(frozen=True)
class Value:
    """What the model gains.

    Attributes:
        metric: ``TRUE`` where the archive knows the true chances, as the simulator's does; else
            ``OFF_POLICY``. Not NDCG: it looks at offered candidates only, whom the log chose.
        gains: Over the rules, and over the incumbent if there is one.
    """

    metric: str
    gains: Mapping[str, Estimate]


def measure(evaluated: Evaluated, model: TrainedModels, incumbent: TrainedModels | None) -> Value:
    """Return what the model gains on the test requests.

    Raises:
        DataError: Too few requests can be reasoned about.
    """
    results = evaluated.results
    if results.decisive == TRUE:
        others = results.model_less.items()
        return Value(TRUE, {name: measured[TRUE] for name, measured in others})
    return Value(OFF_POLICY, _from_the_log(evaluated.cases, model, incumbent))


def _from_the_log(
    cases: Cases, model: TrainedModels, incumbent: TrainedModels | None
) -> dict[str, Estimate]:
    said = predict(model, cases.rows)
    assert said.chance is not None
    scores = {
        name: found.score for name, found in rules.predictions(cases).items() if name in RULES
    }
    scores[MODEL] = said.score
    if incumbent is not None:
        scores[INCUMBENT] = predict(incumbent, cases.rows).score
    found = gains.of(cases.rows, said.chance, scores, MODEL)
    return {name: Estimate(gain.value, gain.low, gain.high) for name, gain in found.items()}
