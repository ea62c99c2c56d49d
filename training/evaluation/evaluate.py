"""All that can be measured without training again, and the short list that a bundle carries."""

from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd

from training.evaluation import calibration, importance, rules, segments, simpler_model
from training.evaluation.cases import Cases, predict, select_cases
from training.evaluation.intervals import EventSums, differences, estimates
from training.evaluation.measures import event_sums, successes, whole_events
from training.evaluation.results import INCUMBENT, MODEL, SIMPLER, Results, Size
from training.files import METRICS
from training.models import TrainedModels
from training.selection import TRAIN

Metrics = dict[str, float]
_ROWS_EXPLAINED_QUICKLY = 300


@dataclass(frozen=True)
class Evaluated:
    """The cases, what the model adds up on them, and what was found."""

    cases: Cases
    sums: EventSums
    results: Results


def evaluate(
    frame: pd.DataFrame,
    models: TrainedModels,
    seed: int,
    *,
    quick: bool = False,
    incumbent: TrainedModels | None = None,
) -> Evaluated:
    """Measure the models, the simpler model and the rules on the test split.

    Args:
        frame: The training set, test rows included.
        models: Trained on its other rows.
        seed: The same seed gives the same intervals.
        quick: Explain fewer rows.
        incumbent: What serves today, as one more contender.

    Raises:
        DataError: The test split has nothing to measure on.
    """
    cases = select_cases(frame)
    said = {
        MODEL: predict(models, cases.rows),
        **({} if incumbent is None else {INCUMBENT: predict(incumbent, cases.rows)}),
        SIMPLER: simpler_model.predict(simpler_model.train(frame), cases.rows),
        **rules.predictions(cases),
    }
    sums = {name: event_sums(cases, predictions) for name, predictions in said.items()}
    contenders = {name: estimates(of_one, seed) for name, of_one in sums.items()}
    chance = said[MODEL].chance
    assert chance is not None
    explained = _ROWS_EXPLAINED_QUICKLY if quick else importance.ROWS_EXPLAINED
    results = Results(
        size=size(frame, cases, sums[MODEL]),
        contenders=contenders,
        model_less={
            name: differences(sums[MODEL], other, seed)
            for name, other in sums.items()
            if name != MODEL
        },
        base_rate_brier=float(successes(cases)[cases.labelled].var()),
        calibration=calibration.curve(cases, chance, seed),
        segments=segments.measure(cases, sums[MODEL], contenders[MODEL], seed),
        importance=importance.measure(models.ranker, cases, explained, seed),
        ablation=None,
        staleness=None,
        tuning=None,
    )
    return Evaluated(cases, sums[MODEL], results)


def size(frame: pd.DataFrame, cases: Cases, sums: EventSums) -> Size:
    """Return what was measured on."""
    labelled = frame["grade"].notna()
    return Size(
        events=int((cases.of_event(cases.labelled.astype(np.float64)) > 0).sum()),
        offers=int(cases.labelled.sum()),
        ranked_events=int(sums.under[:, sums.names.index("ndcg_at_1")].sum()),
        whole_events=int(whole_events(cases).sum()),
        trained_offers=int((labelled & (frame["split"] == TRAIN)).sum()),
        first=cases.rows["request_ts"].min().to_pydatetime(),
        last=cases.rows["request_ts"].max().to_pydatetime(),
    )


def metrics(results: Results) -> Metrics:
    """Return what a bundle carries: numbers by name, without those that were not measured."""
    ranked = {
        f"{name}_{contender}": measured[name].value
        for name in ("ndcg_at_1", "ndcg_at_5", "true_success_at_1")
        for contender, measured in results.contenders.items()
    }
    model = results.contenders[MODEL]
    found = {
        "ranked_events": float(results.size.ranked_events),
        **ranked,
        "true_share_of_gap_closed": _share_of_gap(ranked),
        "success_brier": model["success_brier"].value,
        "success_brier_of_base_rate": results.base_rate_brier,
        "success_calibration_error": results.calibration.error,
        "success_rate": model["success_rate"].value,
        "eta_mae_min": model["eta_mae_min"].value,
        "eta_mae_min_of_formula": results.contenders["lowest_eta"]["eta_mae_min"].value,
        "eta_bias_min": model["eta_bias_min"].value,
        "eta_p90_coverage": model["eta_p90_coverage"].value,
        "test_events": float(results.size.events),
        "test_offers": float(results.size.offers),
    }
    return {name: value for name, value in found.items() if np.isfinite(value)}


def _share_of_gap(ranked: Metrics) -> float:
    """Return how much of what the oracle is better than the nearest rule the model gains."""
    nearest, oracle = (
        ranked.get(f"true_success_at_1_{name}", float("nan")) for name in ("nearest", rules.ORACLE)
    )
    gap = oracle - nearest
    return (ranked[f"true_success_at_1_{MODEL}"] - nearest) / gap if gap else float("nan")


def save(found: Metrics, work: Path) -> None:
    """Write ``metrics.json`` to the work directory."""
    (work / METRICS).write_bytes(msgspec.json.encode(found))
