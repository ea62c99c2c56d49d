"""From an archive to the training set: ``python -m training.steps.process``, the first step."""

import argparse
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from training import dataset, labels
from training.steps import feast_views, reason


def process(options: argparse.Namespace) -> None:
    """Write labels and training set to ``--out``.

    Raises:
        DataError: The archive is not as it must be.
    """
    archive, out = options.archive, options.out
    counts = labels.build(archive, out, options.as_of, timedelta(hours=options.maturity_hours))
    sys.stdout.write(f"labels: {labels.describe(counts)}\n")
    with tempfile.TemporaryDirectory() as scratch:
        views = feast_views.register(archive / "offline", Path(scratch) / "feature_repo")
        joined = dataset.build(archive, views, out, dataset.limits_of(options))
    sys.stdout.write(f"training set: {dataset.describe(joined)}\n")


def main(arguments: list[str] | None = None) -> int:
    """Run the step; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m training.steps.process",
        description="Label an archive's offers and join the features as of each request.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--archive", type=Path, required=True, help="with decisions/, outcomes/ and offline/"
    )
    parser.add_argument("--out", type=Path, required=True, help="where the training set goes")
    parser.add_argument(
        "--as-of", type=labels.moment, required=True, help="labels as known then, ISO 8601, UTC"
    )
    parser.add_argument(
        "--maturity-hours", type=float, default=labels.DEFAULT_MATURITY / timedelta(hours=1),
        help="age at which a label is final",
    )  # fmt: skip
    dataset.add_limits(parser)
    reason.add_option(parser)
    options = parser.parse_args(arguments)
    with reason.left_in(options.reason, "process"):
        process(options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
