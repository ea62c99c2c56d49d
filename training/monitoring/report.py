"""The report of a day: one HTML file, and the same in short for a terminal."""

import math
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from training.monitoring import plots
from training.monitoring.day import Examined
from training.monitoring.decisions import Decisions
from training.monitoring.drift import is_of_the_world
from training.monitoring.findings import Group, Severity, grouped, stops
from training.monitoring.limits import Limits
from training.monitoring.quality import Quality
from training.monitoring.reference import BundleReference
from training.monitoring.segments import ALL
from training.monitoring.tables import tuples

_TEMPLATE = Path(__file__).with_name("report.html.template")
_MOST_HISTOGRAMS = 12
_MOST_LINES = 14


def write(  # noqa: PLR0913, PLR0917 - what a report is about
    examined: Examined,
    day: date,
    model_version: str,
    decisions: Decisions,
    reference: BundleReference,
    limits: Limits,
    path: Path,
) -> None:
    """Write the HTML report; it needs nothing beside it."""
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["number"] = number
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    text = template.render(
        day=day,
        model_version=model_version,
        examined=examined,
        stopping=len(stops(examined.findings)),
        groups=grouped(examined.findings),
        limits=asdict(limits),
        is_of_the_world=is_of_the_world,
        drift=_whole(examined.drift),
        skew_plot=plots.skew(examined.skew, limits),
        drift_plot=plots.drift(examined.drift, limits) if len(examined.drift) else "",
        histograms=[
            plots.histogram(name, decisions.served[name], reference.sample[name])
            for name in _whole(examined.drift)["feature"].head(_MOST_HISTOGRAMS)
        ],
        ages_plot=plots.ages(examined.ages),
        calibration_plot=plots.calibration(examined.quality.deciles),
        ripening_plot=plots.ripening(examined.quality.ripening),
    )
    path.write_text(text, encoding="utf-8")


def _whole(drift: pd.DataFrame) -> pd.DataFrame:
    """Return the features over all decisions, those that moved most first."""
    return drift[drift["segment"] == ALL].sort_values("psi", ascending=False)


def show(examined: Examined, console: Console) -> None:
    """Print the day in short: a line a part, and the findings by their likely cause."""
    console.print(_parts(examined))
    groups = grouped(examined.findings)
    for group in groups[:_MOST_LINES]:
        console.print(_told(group), soft_wrap=True)
    if len(groups) > _MOST_LINES:
        console.print(f"... and {len(groups) - _MOST_LINES} more in the report")


def _parts(examined: Examined) -> Table:
    table = Table(title=f"{examined.decisions:,} of {examined.total:,} decisions examined")
    table.add_column("part")
    table.add_column("what was measured")
    for part, found in _lines(examined).items():
        table.add_row(part, found)
    return table


def _lines(examined: Examined) -> dict[str, str]:
    skew = examined.skew.sort_values("equal_share", kind="stable")
    least, always = skew.iloc[0], int((skew["equal_share"] == 1).sum())
    quality = examined.quality
    return {
        "skew": f"{always} of {len(skew)} features always equal history; the least equal is "
        f"{least['feature']} ({least['equal_share']:.2%})",
        "drift": _most_moved(_whole(examined.drift)),
        "feeds": "; ".join(_feed(row) for row in tuples(_of_all(examined.feeds))),
        "available": "; ".join(
            f"{number(row.available, '.1%')} of shown providers "
            f"(training {number(row.available_reference, '.1%')})"
            for row in tuples(_of_all(examined.availability))
        ),
        "median ages": "; ".join(
            f"{row.feature.removeprefix('request_time__').removesuffix('_age_s')} "
            f"{number(row.median, '.0f')} s (training {number(row.median_reference, '.0f')})"
            for row in tuples(_of_all(examined.ages))
        ),
        **(_outcomes(quality) if quality.labels else {}),
        **({"waited for": quality.awaited} if quality.counts.unripe or not quality.labels else {}),
    }


def number(value: float, form: str) -> str:
    """Return a number as text; one that is not known is said to be so."""
    return format(value, form) if math.isfinite(value) else "unknown"


def _feed(row: Any) -> str:
    if not row.pairs:
        return f"{row.feed}: no cell was read twice, ten minutes apart"
    usual = number(row.reference, ".1%")
    return f"{row.feed} repeats {row.repeats:.1%} of {row.pairs} (training {usual})"


def _outcomes(quality: Quality) -> dict[str, str]:
    return {
        "calibration": f"error {quality.error:.3f} on {quality.labels:,} ripe labels (by luck up "
        f"to {quality.error_if_right:.3f})",
        "labels": "\n".join(
            f"at {row.age_h:g} h: success {row.success:.1%}, Brier {row.brier:.3f}; "
            f"{row.other_success:.1%} of successes and {row.other_grade:.1%} of grades not final"
            for row in tuples(quality.ripening)
        ),
    }


def _of_all(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["segment"] == ALL]


def _most_moved(whole: pd.DataFrame) -> str:
    world = whole["feature"].map(is_of_the_world).astype(bool)
    parts = {"of providers": whole[~world], "of the world": whole[world]}
    return "\n".join(
        f"largest PSI {name} {part['psi'].iloc[0]:.3f} ({part['feature'].iloc[0]})"
        for name, part in parts.items()
        if len(part)
    )


def _told(group: Group) -> Text:
    worst = group.worst
    stops_it = worst.severity is Severity.STOP
    more = f"; and {len(group.others)} more of this kind" if group.others else ""
    return Text.assemble(
        (f"{worst.severity.value.upper():5}", "bold red" if stops_it else "yellow"),
        (f"{worst.kind.value} {worst.feature}", "bold"),
        f" [{worst.segment}] {worst.value:.4g}, limit {worst.limit:.4g}: {worst.detail}{more}\n",
        (f"     {worst.advice}", "dim"),
    )
