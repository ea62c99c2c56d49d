"""A SageMaker training job: ``python -m training.steps.train``, what the container's `train` runs.

It takes ``input/config/hyperparameters.json`` and the channel ``input/data/prepared`` below
``/opt/ml``, and leaves a bundle in ``model``, which SageMaker packs as ``model.tar.gz``.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import msgspec

from feature_repo import bundle_manifest
from training import bundle, dataset, models, tuning
from training.errors import DataError
from training.evaluation import quick
from training.files import TRAINING_SET
from training.steps import reason
from training.tuning import DEFAULT_MINUTES, Budget

HYPERPARAMETERS = Path("input/config/hyperparameters.json")
CHANNEL = Path("input/data/prepared")
MODEL = Path("model")
FAILURE = Path("output/failure")


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The job's hyper-parameters; SageMaker hands every value over as text.

    Attributes:
        seed: The same data and seed give the same bundle.
        trials: Hyper-parameters of the models to try; 0 takes the defaults.
        minutes: After these no trial is begun.
    """

    seed: int = 7
    trials: int = 0
    minutes: float = DEFAULT_MINUTES


def settings(path: Path) -> Settings:
    """Read the job's hyper-parameters; a file that is not there is one without any.

    Raises:
        DataError: One is unknown or no number.
    """
    try:
        told = msgspec.json.decode(path.read_bytes() if path.is_file() else b"{}")
        return msgspec.convert(told, Settings, strict=False)
    except msgspec.MsgspecError as error:
        known = ", ".join(Settings.__struct_fields__)
        raise DataError(f"{path}: {error}; known are {known}, all numbers") from error


def train(root: Path) -> str:
    """Train, measure and bundle below the job's root; return the bundle's version.

    Raises:
        DataError: A hyper-parameter or the training set is not as it must be.
        BundleError: The bundle would not be one that serving accepts.
    """
    given = settings(root / HYPERPARAMETERS)
    prepared = (root / CHANNEL).resolve()
    frame = dataset.read(prepared)
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch) / "work"
        work.mkdir()
        (work / TRAINING_SET).symlink_to(prepared / TRAINING_SET)
        budget = Budget(given.trials, given.minutes)
        trained = tuning.fit(frame, given.seed, budget, work, models.print_step)
        quick.write(frame, trained, given.seed, work)
        made = bundle.build(work, Path(scratch) / "bundle", given.seed)
        # Copied only now: a job that is stopped on the way must not leave half a bundle. And not
        # built in its place, which may be a mount that cannot be renamed over.
        shutil.copytree(made, root / MODEL, dirs_exist_ok=True)
    return bundle_manifest.load(root / MODEL).version


def main(arguments: list[str] | None = None) -> int:
    """Run the step; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m training.steps.train",
        description="Train a model bundle as a SageMaker training job does.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--root", type=Path, default=Path("/opt/ml"), help="the job's directories")
    root: Path = parser.parse_args(arguments).root
    with reason.left_in(root / FAILURE, "train"):
        sys.stdout.write(f"{root / MODEL}: bundle {train(root)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
