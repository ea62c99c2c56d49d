"""The new model against what serves and the simple rules: ``python -m training.steps.evaluate``.

The model is taken from ``model.tar.gz`` as training left it: what is measured is what would be
registered.
"""

import argparse
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from feature_repo import bundle_manifest
from training import bundle, dataset
from training.errors import DataError
from training.evaluation import evaluate, report
from training.files import EVALUATION
from training.models import TrainedModels
from training.steps import evaluation_report, gated, reason, value
from training.steps.evaluation_report import EvaluationReport

ARCHIVE = "model.tar.gz"


@dataclass(frozen=True)
class Packed:
    """A bundle out of its ``model.tar.gz``."""

    version: str
    models: TrainedModels


def unpack(directory: Path) -> Packed | None:
    """Load the bundle in a directory's ``model.tar.gz``; None if there is none.

    Raises:
        DataError: The archive cannot be read.
        BundleError: It is no bundle, or one of another feature list.
    """
    path = directory / ARCHIVE
    if not path.is_file():
        return None
    with tempfile.TemporaryDirectory() as scratch:
        try:
            with tarfile.open(path) as archive:
                archive.extractall(scratch, filter="data")
        except tarfile.TarError as error:
            raise DataError(f"{path} cannot be read ({error}); train again") from error
        unpacked = Path(scratch)
        return Packed(bundle_manifest.load(unpacked).version, bundle.trained_models(unpacked))


def run(options: argparse.Namespace) -> EvaluationReport:
    """Measure, and write ``evaluation.json`` and the page.

    Raises:
        DataError: Something is missing, or could not be measured.
        BundleError: One of the bundles is of another feature list.
    """
    model = unpack(options.model)
    if model is None:
        raise DataError(f"{options.model / ARCHIVE} isn't there; run the step `train`")
    incumbent = unpack(options.incumbent)
    before = incumbent.models if incumbent else None
    frame = dataset.read(options.prepared)
    evaluated = evaluate.evaluate(frame, model.models, options.seed, quick=True, incumbent=before)
    report.write(evaluated.results, options.out / EVALUATION)
    found = gated.report(
        evaluated.results,
        value.measure(evaluated, model.models, before),
        model.version,
        incumbent.version if incumbent else None,
    )
    (options.out / evaluation_report.NAME).write_bytes(evaluation_report.encode(found))
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run the step; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m training.steps.evaluate",
        description="Measure a packed bundle against the incumbent and the simple rules.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--prepared", type=Path, required=True, help="where the training set is")
    parser.add_argument("--model", type=Path, required=True, help=f"where {ARCHIVE} is")
    parser.add_argument(
        "--incumbent", type=Path, required=True,
        help=f"where the {ARCHIVE} of what serves is; without it there is no incumbent",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, required=True, help="where the findings go")
    parser.add_argument("--seed", type=int, default=7, help="of the intervals")
    reason.add_option(parser)
    options = parser.parse_args(arguments)
    with reason.left_in(options.reason, "evaluate"):
        sys.stdout.write(evaluation_report.encode(run(options)).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
