"""``python -m training.off_policy``: what policies would have earned on a log."""

import argparse
import sys
from pathlib import Path

import numpy as np
from rich.console import Console

from training.errors import DataError, GateError, exit_on_errors
from training.off_policy import evaluation, report
from training.off_policy.support import Limits
from training.off_policy.table import Columns, logged_decisions, read

ESTIMATES, FOREST = "estimates.csv", "forest.png"


def run(options: argparse.Namespace, console: Console) -> None:
    """Evaluate the policies, print and write the results.

    Raises:
        DataError: The table is not as it must be.
        GateError: The log cannot answer for a policy; those of the others are printed all the same.
    """
    columns = Columns(
        options.decision, options.candidate, options.propensity, options.chosen, options.reward,
        options.prediction,
    )  # fmt: skip
    log = logged_decisions(read(options.table), columns, options.policies)
    limits = Limits(
        options.propensity_floor, options.most_unsupported_mass,
        options.least_effective_sample_size,
    )  # fmt: skip
    values = [
        evaluation.evaluate(log, policy, limits, options.level, options.highest_weight)
        for policy in options.policies
    ]
    own = evaluation.logged_value(log, options.level)
    console.print(report.value_table(values, own, options.level))
    console.print(report.support_table(values))
    if options.prediction is None:
        console.print("No DR: give the reward model's predictions with --prediction.")
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        evaluation.as_frame(values).to_csv(options.out / ESTIMATES, index=False)
        report.forest_plot(values, own, options.level, options.out / FOREST)
        console.print(f"Written: {options.out / ESTIMATES}, {options.out / FOREST}", soft_wrap=True)
    refused = [f"  {v.policy}: {v.refusal}" for v in values if v.refusal]
    if refused:
        raise GateError(
            f"{len(refused)} of {len(values)} policies are refused:\n" + "\n".join(refused)
        )


def parser() -> argparse.ArgumentParser:
    """Return the command's options."""
    made = argparse.ArgumentParser(
        prog="python -m training.off_policy",
        description="Estimate from logged decisions what other policies would have earned: IPS, "
        "SNIPS and, with a reward model, DR. Exit code 3 if the log cannot answer for one.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    made.add_argument("table", type=Path, help="Parquet or .csv, one row a decision and candidate")
    made.add_argument(
        "--policies", nargs="+", required=True, metavar="COLUMN",
        help="columns with each policy's probability of the candidate",
    )  # fmt: skip
    made.add_argument("--out", type=Path, default=None, help=f"where {ESTIMATES} and {FOREST} go")
    names = Columns()
    made.add_argument("--decision", default=names.decision, help="column: which decision")
    made.add_argument("--candidate", default=names.candidate, help="column: which candidate")
    made.add_argument(
        "--propensity", default=names.propensity, help="column: probability under the log's policy"
    )
    made.add_argument(
        "--chosen", default=names.chosen, help="column: true or 1 for the chosen one (first offer)"
    )
    made.add_argument("--reward", default=names.reward, help="column: known where chosen")
    made.add_argument(
        "--prediction", default=None, help="column: a reward model's, for DR; not fitted on these"
    )
    made.add_argument("--level", type=_share, default=0.95, help="of the intervals, 0 to 1")
    made.add_argument(
        "--highest-weight", type=float, default=np.inf, help="larger weights are cut to this"
    )
    _limit_options(made)
    return made


def _limit_options(made: argparse.ArgumentParser) -> None:
    limits = Limits()
    made.add_argument(
        "--propensity-floor", type=float, default=limits.propensity_floor,
        help="candidates that the log chooses less often are not supported",
    )  # fmt: skip
    made.add_argument(
        "--most-unsupported-mass", type=float, default=limits.most_unsupported_mass,
        help="of a policy's probability on such candidates",
    )  # fmt: skip
    made.add_argument(
        "--least-effective-sample-size", type=float, default=limits.least_effective_sample_size,
        help="decisions",
    )  # fmt: skip


def _share(text: str) -> float:
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 0 and 1")
    return value


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = parser().parse_args(arguments)
    with exit_on_errors("training.off_policy"):
        if not options.highest_weight > 0:
            raise DataError(f"--highest-weight {options.highest_weight} must be above 0")
        run(options, Console())
    return 0


if __name__ == "__main__":
    sys.exit(main())
