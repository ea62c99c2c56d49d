"""Hyper-parameters searched for within a budget: ``python -m training.tuning``.

Optuna's TPE sampler (Akiba et al., 2019), seeded. Every trial trains all four models on the train
split and is judged on the calibrate split, where training also stops and the chance is
calibrated: the gain told is therefore a little flattering. The test split is never looked at.
"""

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd

from training import dataset, models
from training.errors import exit_on_errors
from training.files import MODELS, TUNING
from training.models import DEFAULTS, Hyperparameters, Progress, TrainedModels

DEFAULT_MINUTES = 10.0
Losses = dict[str, float]


class Trial(msgspec.Struct, frozen=True):
    """What was tried.

    Attributes:
        hyperparameters: Of all four models.
        losses: Of each model on the calibrate split.
        relative: Mean over the models of their loss to that of the defaults; 1 is as good.
    """

    hyperparameters: Hyperparameters
    losses: Losses
    relative: float


class Tuning(msgspec.Struct, frozen=True):
    """All that was tried, the defaults first, and how long it took."""

    trials: tuple[Trial, ...]
    seconds: float

    @property
    def best(self) -> Trial:
        """The trial with the lowest relative loss; the defaults if none was better."""
        return min(self.trials, key=lambda trial: trial.relative)


@dataclass(frozen=True)
class Budget:
    """How much may be tried: hyper-parameters beside the defaults, and for how many minutes."""

    trials: int = 0
    minutes: float = DEFAULT_MINUTES


def search(
    frame: pd.DataFrame,
    seed: int,
    trials: int,
    minutes: float,
    progress: Progress = lambda _name: None,
) -> Tuning:
    """Try hyper-parameters; the same seed tries the same ones, as far as the minutes reach.

    Args:
        frame: What ``dataset.build`` returns.
        seed: Of the sampler and of the models.
        trials: How many to try beside the defaults, at most.
        minutes: After these no further trial is begun.
        progress: Called with each trial's name before it is begun.

    Raises:
        DataError: There is too little to learn from.
    """
    import optuna  # noqa: PLC0415 - takes a second

    began = time.monotonic()
    progress("defaults")
    plain = held_losses(models.train(frame, seed))
    tried = [Trial(DEFAULTS, plain, 1.0)]

    def relative_loss(trial: optuna.Trial) -> float:
        progress(f"trial {len(tried)} of {trials}")
        chosen = Hyperparameters(
            learning_rate=trial.suggest_float("learning_rate", 0.01, 0.15, log=True),
            depth=trial.suggest_int("depth", 3, 6),
            l2_leaf_reg=trial.suggest_float("l2_leaf_reg", 1.0, 100.0, log=True),
        )
        losses = held_losses(models.train(frame, seed, hyperparameters=chosen))
        relative = float(np.mean([losses[role] / plain[role] for role in plain]))
        tried.append(Trial(chosen, losses, relative))
        return relative

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.optimize(relative_loss, n_trials=trials, timeout=minutes * 60)
    return Tuning(tuple(tried), time.monotonic() - began)


def fit(
    frame: pd.DataFrame,
    seed: int,
    budget: Budget,
    work: Path,
    progress: Progress = lambda _name: None,
) -> TrainedModels:
    """Train with the best hyper-parameters that the budget finds; leave all in the work directory.

    Args:
        frame: What ``dataset.build`` returns.
        seed: Of the search and of the models.
        budget: Without trials the defaults are taken.
        work: Where the models go, and what was tried.
        progress: Called with each step's name before it is begun.

    Raises:
        DataError: There is too little to learn from.
    """
    if not budget.trials:
        trained = models.train(frame, seed, progress)
        models.save(trained, work)
        return trained
    tried = search(frame, seed, budget.trials, budget.minutes, progress)
    trained = models.train(frame, seed, progress, tried.best.hyperparameters)
    models.save(trained, work)
    save(tried, work)
    return trained


def held_losses(trained: TrainedModels) -> Losses:
    """Return each model's loss on the calibrate split, where it stopped."""
    found: Losses = {}
    for role, model in trained.by_role().items():
        (loss,) = model.get_best_score()["validation"].values()
        found[role] = float(loss)
    return found


def save(tuning: Tuning, work: Path) -> None:
    """Write what was tried beside the models, after these."""
    (work / MODELS / TUNING).write_bytes(msgspec.json.encode(tuning))


def load(work: Path) -> Tuning | None:
    """Read what ``save`` wrote; None where the models have the default hyper-parameters."""
    path = work / MODELS / TUNING
    return msgspec.json.decode(path.read_bytes(), type=Tuning) if path.is_file() else None


def describe(tuning: Tuning) -> str:
    """Return what was gained as a person reads it."""
    best = tuning.best
    chosen = ", ".join(
        f"{name} {value:.3g}"
        for name, value in msgspec.structs.asdict(best.hyperparameters).items()
    )
    return (
        f"{len(tuning.trials) - 1} trials in {tuning.seconds:.0f} s; best {chosen}: "
        f"loss {1 - best.relative:.2%} below that of the defaults"
    )


def add_budget(parser: argparse.ArgumentParser, default_trials: int) -> None:
    """Add ``--trials`` and ``--minutes`` to a command."""
    parser.add_argument(
        "--trials", type=int, default=default_trials, help="hyper-parameters to try; 0 is none"
    )
    parser.add_argument(
        "--minutes", type=float, default=DEFAULT_MINUTES, help="after these no trial is begun"
    )


def budget_of(options: argparse.Namespace) -> Budget:
    """Return the budget given on the command line."""
    return Budget(options.trials, options.minutes)


def main(arguments: list[str] | None = None) -> int:
    """Run the step; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m training.tuning",
        description="Search hyper-parameters, then train with the best (training.models).",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--work", type=Path, required=True, help="where the training set is")
    parser.add_argument("--seed", type=int, default=7, help="the same seed tries the same")
    add_budget(parser, default_trials=20)
    options = parser.parse_args(arguments)
    with exit_on_errors("training.tuning"):
        frame = dataset.read(options.work, labelled=True)
        fit(frame, options.seed, budget_of(options), options.work, models.print_step)
        tried = load(options.work)
        told = describe(tried) if tried else "trained with the default hyper-parameters"
        sys.stdout.write(f"{options.work / MODELS}: {told}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
