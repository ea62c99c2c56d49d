"""Everything that an evaluation found, as the report and the bundle take it."""

from dataclasses import dataclass
from datetime import datetime

from training.evaluation.ablation import Ablation
from training.evaluation.calibration import CalibrationCurve
from training.evaluation.importance import FeatureImportance
from training.evaluation.intervals import Estimate
from training.evaluation.segments import Segment
from training.evaluation.staleness import Staleness
from training.tuning import Tuning

MODEL, INCUMBENT, SIMPLER = "model", "incumbent", "simpler_model"
Measured = dict[str, Estimate]


@dataclass(frozen=True)
class Size:
    """What was measured on."""

    events: int
    offers: int
    ranked_events: int
    whole_events: int
    trained_offers: int
    first: datetime
    last: datetime


@dataclass(frozen=True)
class Results:
    """What was found.

    Attributes:
        size: What it was measured on.
        contenders: Each metric of the model, the incumbent if there is one, the simpler model, the
            rules and the oracle.
        model_less: Each metric of the model less that of each other, paired.
        base_rate_brier: Brier score of telling everybody the same chance.
        calibration: Chances against what happened.
        segments: Each segment of each dimension.
        importance: Each feature, the most important first.
        ablation: What each view is worth; None where it was not measured.
        staleness: What old features cost; None where it was not measured.
        tuning: What the search of hyper-parameters tried; None where there was none.
    """

    size: Size
    contenders: dict[str, Measured]
    model_less: dict[str, Measured]
    base_rate_brier: float
    calibration: CalibrationCurve
    segments: list[Segment]
    importance: list[FeatureImportance]
    ablation: list[Ablation] | None
    staleness: list[Staleness] | None
    tuning: Tuning | None

    @property
    def decisive(self) -> str:
        """The metric that matters most of those that could be measured."""
        known = self.size.whole_events and "true_success_at_1" in self.contenders[MODEL]
        measured = known and self.contenders[MODEL]["true_success_at_1"].value >= 0
        return "true_success_at_1" if measured else "ndcg_at_1"
