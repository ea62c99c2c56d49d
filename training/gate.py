"""Great Expectations over a data frame, with findings that name the rows which break a rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

ROWS_NAMED = 5
"""Broken rows that a finding names; the count tells how many more there are."""


@dataclass(frozen=True)
class Finding:
    """One check: what was expected, whether it holds, what was found, some rows that break it."""

    expectation: str
    holds: bool
    found: str
    rows: tuple[str, ...] = ()


Findings = Mapping[str, Sequence[Finding]]
"""All checks of several tables, by what was checked."""


def run(
    name: str, frame: pd.DataFrame, expectations: Sequence[Any], named_by: Sequence[str]
) -> list[Finding]:
    """Check a frame; return every check, failed or not.

    Args:
        name: What the frame is, for Great Expectations.
        frame: The rows.
        expectations: Of ``great_expectations.expectations``.
        named_by: The columns that tell a person which row is meant.
    """
    import great_expectations as gx  # noqa: PLC0415 - takes seconds
    from great_expectations.data_context.types.base import ProgressBarsConfig  # noqa: PLC0415

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_pandas(name)
    batch = source.add_dataframe_asset("rows").add_batch_definition_whole_dataframe("all")
    suite = context.suites.add(gx.ExpectationSuite(name=name, expectations=list(expectations)))
    validation = gx.ValidationDefinition(name=name, data=batch, suite=suite)
    outcome = context.validation_definitions.add(validation).run(
        batch_parameters={"dataframe": frame},
        result_format={
            "result_format": "SUMMARY",
            "partial_unexpected_count": ROWS_NAMED,
            "unexpected_index_column_names": list(named_by),
        },
    )
    return [_finding(result) for result in outcome.results]


def report(findings: Sequence[Finding]) -> str:
    """Return the findings as a person reads them: a line each, and a line a row that is named."""
    return "\n".join(
        line
        for finding in findings
        for line in (
            f"  {'ok  ' if finding.holds else 'FAIL'} {finding.expectation}: {finding.found}",
            *(f"         {row}" for row in finding.rows),
        )
    )


def failed(found: Findings) -> dict[str, list[Finding]]:
    """Return the checks that do not hold, of the tables that have such."""
    broken = {name: [f for f in findings if not f.holds] for name, findings in found.items()}
    return {name: findings for name, findings in broken.items() if findings}


def count(found: Findings) -> int:
    """Return how many checks there are."""
    return sum(map(len, found.values()))


def reports(found: Findings) -> str:
    """Return the findings of several tables as a person reads them, each under its name."""
    return "\n".join(f"{name}:\n{report(findings)}" for name, findings in found.items())


def _finding(result: Any) -> Finding:
    config, details = result.expectation_config, result.result
    told = {k: v for k, v in config.kwargs.items() if k != "batch_id" and v is not None}
    column = told.pop("column", "")
    terms = ", ".join(f"{name} {value}" for name, value in told.items())
    rule = config.type.removeprefix("expect_").removeprefix("column_").replace("_", " ")
    expectation = f"{f'{column} ' if column else ''}{rule} ({terms})"
    if result.success:
        return Finding(expectation, True, _found(result))
    return Finding(expectation, False, _found(result), _rows(details, column))


def _found(result: Any) -> str:
    details = result.result
    if "observed_value" in details:
        return f"{details['observed_value']}"
    if "unexpected_count" in details:
        return f"{details['unexpected_count']:,} of {details['element_count']:,} rows break it"
    return str(result.exception_info)


def _rows(details: dict[str, Any], column: str) -> tuple[str, ...]:
    """Return the first broken rows, as ``name=value`` for the columns that name them."""
    return tuple(
        ", ".join(f"{name}={value}" for name, value in row.items() if name != column)
        + (f": {column}={row[column]}" if column in row else "")
        for row in details.get("partial_unexpected_index_list", [])[:ROWS_NAMED]
    )
