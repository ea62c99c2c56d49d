"""Whether anything may be learned from the data: ``python -m training.steps.gates``."""

import argparse
import sys
from pathlib import Path

from training import archive_checks, checks, dataset, gate
from training.errors import GateError
from training.files import TRAINING_SET
from training.gate import Findings
from training.steps import reason

REPORT = "gates.txt"


def require(archive: Path, prepared: Path, report: Path) -> Findings:
    """Check the archive and the training set, write the report, and return all findings.

    Raises:
        GateError: A check fails; the message begins with those that did.
        DataError: Data is missing.
    """
    found = {
        **archive_checks.check_all(archive),
        TRAINING_SET: checks.check(dataset.read(prepared, labelled=True)),
    }
    failed = gate.failed(found)
    summary = f"{gate.count(failed)} of {gate.count(found)} checks fail"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(f"{summary}\n{gate.reports(found)}\n", encoding="utf-8")
    if failed:
        raise GateError(
            f"{summary}; nothing is trained. Mend what wrote these rows ({report.name} has all "
            f"checks):\n{gate.reports(failed)}"
        )
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run the step; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m training.steps.gates",
        description="Check archive and training set; exit code 3 if a check fails.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--archive", type=Path, required=True, help="the archive")
    parser.add_argument("--prepared", type=Path, required=True, help="where the training set is")
    parser.add_argument("--out", type=Path, required=True, help=f"where {REPORT} goes")
    reason.add_option(parser)
    options = parser.parse_args(arguments)
    with reason.left_in(options.reason, "gates"):
        found = require(options.archive, options.prepared, options.out / REPORT)
        sys.stdout.write(f"all {gate.count(found)} checks hold\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
