"""The gate before training: ``python -m training.checks``; failing data stops the pipeline."""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from feature_repo.schema import VIEWS
from training.errors import GateError, exit_on_errors
from training.files import TRAINING_SET, read_frame

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


@dataclass(frozen=True)
class Finding:
    """One check: what was expected, whether it holds, and what was found."""

    expectation: str
    holds: bool
    found: str


def check(frame: pd.DataFrame) -> list[Finding]:
    """Check the labelled rows of a training set; return every check, failed or not."""
    import great_expectations as gx  # noqa: PLC0415 - takes seconds
    from great_expectations.data_context.types.base import ProgressBarsConfig  # noqa: PLC0415

    labelled = frame[frame["grade"].notna()]
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_pandas("training")
    batch = source.add_dataframe_asset("set").add_batch_definition_whole_dataframe("all")
    suite = context.suites.add(gx.ExpectationSuite(name="training_set"))
    for expectation in _expectations(gx.expectations):
        suite.add_expectation(expectation)
    validation = gx.ValidationDefinition(name="training_set", data=batch, suite=suite)
    definition = context.validation_definitions.add(validation)
    outcome = definition.run(batch_parameters={"dataframe": labelled.assign(**_derived(labelled))})
    return [_finding(result) for result in outcome.results]


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
            f"trained or published:\n{report(failed)}"
        )
    return findings


def report(findings: list[Finding]) -> str:
    """Return the findings as a person reads them, one a line."""
    return "\n".join(
        f"  {'ok  ' if finding.holds else 'FAIL'} {finding.expectation}: {finding.found}"
        for finding in findings
    )


def _derived(labelled: pd.DataFrame) -> dict[str, pd.Series]:
    """Return columns that make a rule about all rows a rule about each."""
    share = labelled["grade"].map(labelled["grade"].value_counts(normalize=True))
    return {"share_of_its_grade": share}


def _expectations(kinds: Any) -> list[Any]:
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


def _finding(result: Any) -> Finding:
    config, details = result.expectation_config, result.result
    limits = {k: v for k, v in config.kwargs.items() if k != "batch_id" and v is not None}
    column = limits.pop("column", "")
    terms = ", ".join(f"{name} {value}" for name, value in limits.items())
    if "observed_value" in details:
        found = f"{details['observed_value']}"
    elif "unexpected_count" in details:
        examples = details.get("partial_unexpected_list", [])[:3]
        found = f"{details['unexpected_count']} of {details['element_count']} rows break it"
        found += f", for example {examples}" if details["unexpected_count"] and examples else ""
    else:
        found = str(result.exception_info)
    name = config.type.removeprefix("expect_").replace("_", " ")
    return Finding(f"{column + ' ' if column else ''}{name} ({terms})", bool(result.success), found)


def main(arguments: list[str] | None = None) -> int:
    """Run the step; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m training.checks",
        description="Check the training set; exit code 3 if a check fails.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--work", type=Path, required=True, help="where training_set.parquet is")
    options = parser.parse_args(arguments)
    with exit_on_errors("training.checks"):
        frame = read_frame(options.work / TRAINING_SET, "`python -m training.dataset`")
        sys.stdout.write(report(require(frame)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
