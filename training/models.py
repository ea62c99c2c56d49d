"""Ranker, minutes to arrival, chance of success: ``python -m training.models``.

All are CatBoost with oblivious trees on numeric features, seeded. Each offer is weighted by the
inverse of its logged propensity (cut, and scaled to mean 1): the log prefers near providers, the
ranker will be asked about all.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd
from catboost import CatBoost, Pool
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from feature_repo.bundle_manifest import Calibration, ModelFiles
from feature_repo.model_matrix import MODEL_FEATURES
from training import dataset
from training.errors import DataError, exit_on_errors
from training.files import CALIBRATION, MODELS, TUNING
from training.selection import CALIBRATE, TRAIN
from training.worth import as_share, worth

HIGHEST_WEIGHT = 10.0
"""Of the median weight: one lucky exploration must not outvote a hundred plain offers."""
_LEAST_EVENTS = 50
_COMMON: dict[str, Any] = {
    "iterations": 400,
    "grow_policy": "SymmetricTree",
    "thread_count": 2,
    "allow_writing_files": False,
    "verbose": False,
}
_WEAK_PENALTY = 1e3
"""Inverse strength of the penalty on Platt's two parameters: practically none."""
_LOGITS = np.linspace(-7.0, 7.0, 141)
"""Where the calibration is tabulated: chances from 0.1 to 99.9 %, finest near the ends."""
_STAMPS = ("train_finish_time", "model_guid")

Floats = npt.NDArray[np.float64]
Progress = Callable[[str], None]
Settings = dict[str, Any]


class Hyperparameters(msgspec.Struct, frozen=True):
    """What ``training.tuning`` may vary, by CatBoost's names."""

    learning_rate: float = 0.08
    depth: int = 4
    l2_leaf_reg: float = 20.0


DEFAULTS = Hyperparameters()


@dataclass(frozen=True)
class TrainedModels:
    """The four models and the calibration of the last."""

    ranker: CatBoost
    eta_p50: CatBoost
    eta_p90: CatBoost
    success: CatBoost
    calibration: Calibration

    def by_role(self) -> dict[str, CatBoost]:
        """Return the models by their names in ``bundle_manifest.ModelFiles``."""
        return {name: getattr(self, name) for name in msgspec.structs.asdict(ModelFiles())}


def matrix(frame: pd.DataFrame) -> npt.NDArray[np.float32]:
    """Return the model matrix of a training set, float32 [n, len(MODEL_FEATURES)]."""
    return frame[list(MODEL_FEATURES)].to_numpy(dtype=np.float32)


def weights(stage_propensity: npt.NDArray[np.float64]) -> Floats:
    """Return inverse-propensity weights, cut at ``HIGHEST_WEIGHT`` medians, with mean 1."""
    inverse = 1 / stage_propensity
    cut = np.minimum(inverse, HIGHEST_WEIGHT * np.median(inverse))
    return np.asarray(cut / cut.mean())


def train(
    frame: pd.DataFrame,
    seed: int,
    progress: Progress = lambda _name: None,
    hyperparameters: Hyperparameters = DEFAULTS,
) -> TrainedModels:
    """Train on the labelled rows of a training set.

    Args:
        frame: What ``dataset.build`` returns.
        seed: The same frame and seed give the same models.
        progress: Called with each model's name before it is trained.
        hyperparameters: Of all four models.

    Raises:
        DataError: There is too little to learn from.
    """
    labelled = frame[frame["grade"].notna()].sort_values(["request_ts", "event_id", "provider_id"])
    fit, held = labelled[labelled["split"] == TRAIN], labelled[labelled["split"] == CALIBRATE]
    _require_enough(fit, held)
    settings = {**_COMMON, **msgspec.structs.asdict(hyperparameters), "random_seed": seed}
    progress("ranker")
    ranker = _ranker(fit, held, settings)
    progress("eta_p50")
    eta_p50 = _eta(fit, held, settings, 0.5)
    progress("eta_p90")
    eta_p90 = _eta(fit, held, settings, 0.9)
    progress("success")
    success = _classifier(fit, held, settings)
    return TrainedModels(ranker, eta_p50, eta_p90, success, calibrate(success, held))


def calibrate(classifier: CatBoost, held: pd.DataFrame) -> Calibration:
    """Return Platt's map from the classifier's probability to the observed share.

    ``sigmoid(a * logit(p) + b)`` (Platt, 1999), tabulated. It is fitted on rows that the classifier
    was not, weighted as in training. Not isotonic regression: on a few hundred offers its steps
    tie providers who differ, and its ends promise certainty.
    """
    raw = raw_probability(classifier, matrix(held))
    platt = LogisticRegression(C=_WEAK_PENALTY)
    platt.fit(
        logit(raw)[:, None], held["success"].astype(int), sample_weight=weights(_propensity(held))
    )
    slope = max(float(platt.coef_[0, 0]), 0.0)  # a better raw probability never lowers the chance
    y = expit(slope * _LOGITS + float(platt.intercept_[0]))
    return Calibration(x=tuple(map(float, expit(_LOGITS))), y=tuple(map(float, y)))


def raw_probability(classifier: CatBoost, rows: npt.NDArray[np.float32]) -> Floats:
    """Return the classifier's probability before calibration, float64 [n]."""
    return np.asarray(classifier.predict(rows, prediction_type="Probability")[:, 1])


def save(models: TrainedModels, work: Path) -> None:
    """Write the models and the calibration to the work directory."""
    directory = work / MODELS
    directory.mkdir(parents=True, exist_ok=True)
    (directory / TUNING).unlink(missing_ok=True)  # it told of the models before these
    files = msgspec.structs.asdict(ModelFiles())
    for role, model in models.by_role().items():
        model.save_model(str(directory / files[role]))
    (directory / CALIBRATION).write_bytes(msgspec.json.encode(models.calibration))


def load(work: Path) -> TrainedModels:
    """Read what ``save`` wrote.

    Raises:
        DataError: There is nothing, or not all of it.
    """
    directory, files = work / MODELS, ModelFiles()
    for name in (*msgspec.structs.astuple(files), CALIBRATION):
        if not (directory / name).is_file():
            raise DataError(f"{directory / name} isn't there; run `python -m training.models`")
    calibration = (directory / CALIBRATION).read_bytes()
    return read(directory, files, msgspec.json.decode(calibration, type=Calibration))


def read(directory: Path, files: ModelFiles, calibration: Calibration) -> TrainedModels:
    """Read the models of a directory; every file must be there."""
    by_role = {
        role: CatBoost().load_model(str(directory / name))
        for role, name in msgspec.structs.asdict(files).items()
    }
    return TrainedModels(**by_role, calibration=calibration)


def _ranker(fit: pd.DataFrame, held: pd.DataFrame, settings: Settings) -> CatBoost:
    """Fit what an offer to a provider is worth (``training.worth``).

    Not YetiRank inside each event: offers stop at the first acceptance, so all but the last are
    usually refusals, and little would be learned of who is late or gives up.
    """
    pools = [_pool(part, as_share(_worth(part))) for part in (fit, held)]
    return _fit("CrossEntropy", pools, settings)


def _worth(rows: pd.DataFrame) -> Floats:
    minutes = rows["minutes_to_arrival"].to_numpy(dtype=np.float64)
    return worth(rows["grade"].to_numpy(dtype=np.int64), minutes)


def _eta(fit: pd.DataFrame, held: pd.DataFrame, settings: Settings, alpha: float) -> CatBoost:
    arrived = [part[part["minutes_to_arrival"].notna()] for part in (fit, held)]
    pools = [_pool(part, part["minutes_to_arrival"].to_numpy()) for part in arrived]
    return _fit(f"Quantile:alpha={alpha}", pools, settings)


def _classifier(fit: pd.DataFrame, held: pd.DataFrame, settings: Settings) -> CatBoost:
    pools = [_pool(part, part["success"].astype(int).to_numpy()) for part in (fit, held)]
    return _fit("Logloss", pools, settings)


def _fit(loss: str, pools: list[Pool], settings: Settings) -> CatBoost:
    model = CatBoost({**settings, "loss_function": loss})
    model.fit(pools[0], eval_set=pools[1], early_stopping_rounds=50)
    metadata = model.get_metadata()
    for stamp in _STAMPS:  # the same data and seed give the same bytes
        if stamp in metadata.keys():  # noqa: SIM118 - it has no __contains__ of its own
            del metadata[stamp]
    return model


def _pool(rows: pd.DataFrame, target: npt.NDArray[Any]) -> Pool:
    return Pool(
        matrix(rows),
        target,
        weight=weights(_propensity(rows)),
        feature_names=list(MODEL_FEATURES),
    )


def _propensity(rows: pd.DataFrame) -> Floats:
    return rows["stage_propensity"].to_numpy(dtype=np.float64)


def _require_enough(fit: pd.DataFrame, held: pd.DataFrame) -> None:
    for name, part in (("train", fit), ("calibrate", held)):
        successes = int(part["success"].astype(bool).sum())
        if len(part) < _LEAST_EVENTS or not 0 < successes < len(part):
            raise DataError(
                f"split {name!r} has {len(part)} labelled offers, {successes} of them successes: "
                f"at least {_LEAST_EVENTS} of both kinds are needed; take an archive of more hours"
            )


def main(arguments: list[str] | None = None) -> int:
    """Run the step; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m training.models",
        description="Train the ranker, the arrival times and the chance of success.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--work", type=Path, required=True, help="where the training set is")
    parser.add_argument("--seed", type=int, default=7, help="the same seed gives the same models")
    options = parser.parse_args(arguments)
    with exit_on_errors("training.models"):
        frame = dataset.read(options.work, labelled=True)
        save(train(frame, options.seed, print_step), options.work)
        sys.stdout.write(f"{options.work / MODELS}: trained\n")
    return 0


def print_step(name: str) -> None:
    """Say on stderr which model is being trained."""
    sys.stderr.write(f"training {name}\n")


if __name__ == "__main__":
    sys.exit(main())
