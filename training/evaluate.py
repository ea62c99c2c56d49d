"""How good the models are on later events than they saw: ``python -m training.evaluate``.

Two views. On the log: only offered candidates have grades, and an event's offers stop at the
first acceptance, so its NDCG mostly tells willing providers from unwilling ones. On the
simulator's truth (``true_*``, only where the archive knows it): the true chance of success of the
candidate that each rule puts first among all candidates.
"""

import argparse
import sys
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd

from training.dataset import TEST
from training.errors import DataError, exit_on_errors
from training.files import METRICS, TRAINING_SET, read_frame
from training.models import Floats, TrainedModels, load, matrix, raw_probability

DISTANCE, ETA = "request_time__driver_distance_km", "request_time__eta_min"
_CALIBRATION_BINS = 10

Metrics = dict[str, float]


def evaluate(frame: pd.DataFrame, models: TrainedModels) -> Metrics:
    """Return the metrics of the models and of the rules, by name.

    Raises:
        DataError: The test split has no labelled offers.
    """
    test = frame[frame["split"] == TEST].reset_index(drop=True)
    labelled = test[test["grade"].notna()].reset_index(drop=True)
    if labelled.empty:
        raise DataError("split 'test' has no labelled offers: take an archive of more hours")
    return {
        **_ranking(labelled, models),
        **_success(labelled, models),
        **_arrival(labelled, models),
        **_truth(test, models),
        "test_events": float(labelled["event_id"].nunique()),
        "test_offers": float(len(labelled)),
    }


def rule_scores(rows: pd.DataFrame, models: TrainedModels) -> dict[str, Floats]:
    """Return each rule's score of each row: the higher, the better; unknown goes last."""
    return {
        "model": np.asarray(models.ranker.predict(matrix(rows)), dtype=np.float64),
        "nearest": -rows[DISTANCE].fillna(np.inf).to_numpy(dtype=np.float64),
        "lowest_eta": -rows[ETA].fillna(np.inf).to_numpy(dtype=np.float64),
    }


def ndcg(grades: npt.NDArray[np.int64], scores: Floats, at: int) -> float:
    """Return NDCG of one event, gain 2^grade - 1; NaN where all gains are zero."""
    gains = 2.0**grades - 1
    discount = 1 / np.log2(np.arange(2, min(at, len(gains)) + 2))
    best = np.sort(gains)[::-1][:at] @ discount
    got = gains[np.argsort(-scores, kind="stable")][:at] @ discount
    return float(got / best) if best > 0 else float("nan")


def _ranking(labelled: pd.DataFrame, models: TrainedModels) -> Metrics:
    grades = labelled["grade"].to_numpy(dtype=np.int64)
    # one offer, or equal grades, cannot be ordered wrongly: such events would flatter every rule
    events = [
        rows
        for rows in labelled.groupby("event_id").indices.values()
        if len(set(grades[rows].tolist())) > 1
    ]
    metrics = {"ranked_events": float(len(events))}
    for rule, scores in rule_scores(labelled, models).items():
        for at in (1, 5):
            values = [ndcg(grades[rows], scores[rows], at) for rows in events]
            metrics[f"ndcg_at_{at}_{rule}"] = float(np.mean(values)) if values else float("nan")
    return metrics


def _success(labelled: pd.DataFrame, models: TrainedModels) -> Metrics:
    raw = raw_probability(models.success, matrix(labelled))
    chance = np.interp(raw, models.calibration.x, models.calibration.y)
    happened = labelled["success"].to_numpy(dtype=np.float64)
    return {
        "success_brier": float(np.mean((chance - happened) ** 2)),
        "success_brier_of_base_rate": float(np.mean((happened.mean() - happened) ** 2)),
        "success_calibration_error": calibration_error(chance, happened),
        "success_rate": float(happened.mean()),
    }


def calibration_error(chance: Floats, happened: Floats) -> float:
    """Return the expected calibration error over equally filled bins, 0 to 1."""
    order = np.argsort(chance, kind="stable")
    bins = np.array_split(order, _CALIBRATION_BINS)
    gaps = [abs(chance[b].mean() - happened[b].mean()) * len(b) for b in bins if len(b)]
    return float(sum(gaps) / len(chance))


def _arrival(labelled: pd.DataFrame, models: TrainedModels) -> Metrics:
    arrived = labelled[labelled["minutes_to_arrival"].notna()]
    if arrived.empty:
        raise DataError("split 'test' has no arrivals: take an archive of more hours")
    minutes = arrived["minutes_to_arrival"].to_numpy(dtype=np.float64)
    p50 = models.eta_p50.predict(matrix(arrived))
    p90 = models.eta_p90.predict(matrix(arrived))
    formula = arrived[ETA].to_numpy(dtype=np.float64)
    return {
        "eta_mae_min": float(np.mean(np.abs(p50 - minutes))),
        "eta_mae_min_of_formula": float(np.nanmean(np.abs(formula - minutes))),
        "eta_p90_coverage": float(np.mean(minutes <= np.maximum(p50, p90))),
    }


def _truth(test: pd.DataFrame, models: TrainedModels) -> Metrics:
    if "success_probability" not in test:
        return {}
    whole = test.loc[test["grade"].isna(), "event_id"].unique()
    rows = test[test["event_id"].isin(whole)].reset_index(drop=True)
    if rows.empty:
        return {}
    truth = rows["success_probability"].to_numpy(dtype=np.float64)
    events = list(rows.groupby("event_id").indices.values())
    metrics = {
        f"true_success_at_1_{rule}": float(
            np.mean([truth[event][np.argmax(scores[event])] for event in events])
        )
        for rule, scores in {**rule_scores(rows, models), "oracle": truth}.items()
    }
    nearest, oracle = (metrics[f"true_success_at_1_{rule}"] for rule in ("nearest", "oracle"))
    gained = metrics["true_success_at_1_model"] - nearest
    return {**metrics, "true_share_of_gap_closed": gained / (oracle - nearest)}


def main(arguments: list[str] | None = None) -> int:
    """Run the step; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluate",
        description="Measure the models on the latest events, against simple rules.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--work", type=Path, required=True, help="where models/ is")
    options = parser.parse_args(arguments)
    with exit_on_errors("training.evaluate"):
        frame = read_frame(options.work / TRAINING_SET, "`python -m training.dataset`")
        metrics = evaluate(frame, load(options.work))
        save(metrics, options.work)
        sys.stdout.write("".join(f"{name:32}{value:>12.4f}\n" for name, value in metrics.items()))
    return 0


def save(metrics: Metrics, work: Path) -> None:
    """Write ``metrics.json`` to the work directory."""
    (work / METRICS).write_bytes(msgspec.json.encode(metrics))


if __name__ == "__main__":
    sys.exit(main())
