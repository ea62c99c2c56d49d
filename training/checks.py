"""The gate before training: ``python -m training.checks``; failing data stops the pipeline."""

import argparse
import sys
from pathlib import Path
from typing import Any

import pandas as pd

from feature_repo.schema import VIEWS
from training import dataset, gate
from training.errors import GateError, exit_on_errors
from training.gate import Finding
from training.labels import KEYS

LEAST_ROWS = 300
_LEAST_PRESENT = {
    "provider_motion__speed_mean_kph": 0.5,
    "provider_availability__active_jobs": 0.5,
    "cell_conditions__speed_ratio_mean": 0.5,
    "provider_history__acceptance_rate_90d": 0.8,
    "provider_profile__cost_per_job_usd": 0.99,
    "request_time__eta_min": 0.5,
}
"""Share of rows in which a feature must be known: below it a source has failed."""
_BOUNDS: dict[str, tuple[float, float]] = {
    "grade": (0, 4),
    "stage_propensity": (1e-6, 1.0 + 1e-9),
    "minutes_to_arrival": (0, 24 * 60),
    "request_time__driver_distance_km": (0, 500),
    "request_time__eta_min": (0, 24 * 60),
    "provider_motion__speed_mean_kph": (0, 250),
    "provider_history__acceptance_rate_90d": (0, 1),
    "cell_conditions__speed_ratio_mean": (0, 2),
}
_AGES = tuple(
    f"request_time__{prefix}_age_s"
    for view in VIEWS.values()
    if view.observed_at
    for prefix in [view.observed_at.removesuffix("_observed_at")]
)
_LARGEST_SHARE_OF_ONE_GRADE = 0.9


def check(frame: pd.DataFrame) -> list[Finding]:
    """Check the labelled rows of a training set; return every check, failed or not."""
    labelled = frame[frame["grade"].notna()]
    return gate.run("training_set", labelled.assign(**_derived(labelled)), _expectations(), KEYS)


def require(frame: pd.DataFrame) -> list[Finding]:
    """Check a training set and return the findings.

    Raises:
        GateError: A check fails; the message is the report of all that failed.
    """
    findings = check(frame)
    failed = [finding for finding in findings if not finding.holds]
    if failed:
        raise GateError(
            f"{len(failed)} of {len(findings)} checks of the training set fail; nothing is "
            f"trained or published:\n{gate.report(failed)}"
        )
    return findings


def _derived(labelled: pd.DataFrame) -> dict[str, pd.Series]:
    """Return columns that make a rule about all rows a rule about each."""
    share = labelled["grade"].map(labelled["grade"].value_counts(normalize=True))
    return {"share_of_its_grade": share}


def _expectations() -> list[Any]:
    import great_expectations as gx  # noqa: PLC0415 - takes seconds

    kinds: Any = gx.expectations
    return [
        kinds.ExpectTableRowCountToBeBetween(min_value=LEAST_ROWS),
        kinds.ExpectCompoundColumnsToBeUnique(column_list=["event_id", "provider_id"]),
        kinds.ExpectColumnValuesToBeBetween(
            column="share_of_its_grade", max_value=_LARGEST_SHARE_OF_ONE_GRADE
        ),
        kinds.ExpectColumnValuesToNotBeNull(column="stage_propensity"),
        *(
            kinds.ExpectColumnValuesToNotBeNull(column=name, mostly=share)
            for name, share in _LEAST_PRESENT.items()
        ),
        *(
            kinds.ExpectColumnValuesToBeBetween(column=name, min_value=low, max_value=high)
            for name, (low, high) in _BOUNDS.items()
        ),
        # a negative age is a value from after the request: the future leaks into training
        *(kinds.ExpectColumnValuesToBeBetween(column=name, min_value=0) for name in _AGES),
    ]


def main(arguments: list[str] | None = None) -> int:
    """Run the step; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m training.checks",
        description="Check the training set; exit code 3 if a check fails.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--work", type=Path, required=True, help="where the training set is")
    options = parser.parse_args(arguments)
    with exit_on_errors("training.checks"):
        frame = dataset.read(options.work, labelled=True)
        sys.stdout.write(gate.report(require(frame)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
