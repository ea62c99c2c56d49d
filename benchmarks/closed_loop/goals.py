"""The goals that the model was set, and whether the game shows that they are reached."""

from dataclasses import dataclass

from rich.table import Table

from benchmarks.closed_loop.contenders import BASELINE, MODEL
from benchmarks.closed_loop.results import Results
from training.evaluation.intervals import Estimate

LEAST_GAP_CLOSED = 0.30
LEAST_REDISPATCH_SAVED = 0.20
REACHED, NOT_REACHED, OPEN = "reached", "not reached", "not decided"


@dataclass(frozen=True)
class Goal:
    """One goal: what was asked, what was found, and whether the whole interval says so."""

    asked: str
    found: Estimate
    text: str
    verdict: str


def goals(results: Results, policy: str = MODEL) -> list[Goal]:
    """Return the goals, for one policy against lowest-ETA."""
    gap, saved = results.gap_closed[policy], results.redispatch_saved[policy]
    minutes = results.changes[policy]["minutes"]
    regions = [segment for segment in results.segments if segment.dimension == "region"]
    worst = min(regions, key=lambda segment: segment.changes[policy].value)
    change = worst.changes[policy]
    return [
        Goal(
            f"success: at least {LEAST_GAP_CLOSED:.0%} of the gap from {BASELINE} to the oracle",
            gap,
            _shares(gap),
            verdict(gap, LEAST_GAP_CLOSED),
        ),
        Goal(
            "mean minutes to arrival: no worse",
            minutes,
            f"{minutes.value:+.2f} min ({minutes.low:+.2f} to {minutes.high:+.2f})",
            verdict(Estimate(-minutes.value, -minutes.high, -minutes.low), 0.0),
        ),
        Goal(
            f"re-dispatch: down by at least {LEAST_REDISPATCH_SAVED:.0%}",
            saved,
            _shares(saved),
            verdict(saved, LEAST_REDISPATCH_SAVED),
        ),
        Goal(
            "success: no region worse",
            change,
            f"worst is {worst.name}: {100 * change.value:+.1f} points "
            f"({100 * change.low:+.1f} to {100 * change.high:+.1f})",
            verdict(change, 0.0),
        ),
    ]


def verdict(found: Estimate, least: float) -> str:
    """Return whether a value is at least what was asked; open where its interval has both."""
    if found.low >= least:
        return REACHED
    return NOT_REACHED if found.high < least else OPEN


def table(results: Results, policy: str = MODEL) -> Table:
    """Return the goals as they are printed at the end of a run."""
    shown = Table(title=f"Goals of {policy} against {BASELINE}, {results.requests:,} requests")
    for name in ("goal", "found (95 % interval)", "verdict"):
        shown.add_column(name)
    for goal in goals(results, policy):
        shown.add_row(goal.asked, goal.text, goal.verdict)
    return shown


def _shares(found: Estimate) -> str:
    return f"{found.value:.0%} ({found.low:.0%} to {found.high:.0%})"
