"""Estimates as a person reads them: a table and a forest plot."""

from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from rich.table import Table

from training.off_policy.estimators import Estimate
from training.off_policy.evaluation import PolicyValue

_COLOURS = {"IPS": "#999999", "SNIPS": "#0072b2", "DR": "#d55e00"}
_ROW_INCHES = 0.32


def value_table(values: list[PolicyValue], logged: Estimate, level: float) -> Table:
    """Return the estimates, one row a policy and estimator."""
    shown = Table(title=f"Mean reward a decision, with {level:.0%} intervals")
    for name in ("policy", "estimator"):
        shown.add_column(name)
    for name in ("value", "interval", "gain over the log"):
        shown.add_column(name, justify="right")
    shown.add_row("(the log)", "mean", f"{logged.value:.3f}", _interval(logged), "")
    for v in values:
        if v.refusal:
            shown.add_row(v.policy, "refused", "", "", "")
        for name, found in v.values.items():
            gain = v.gains[name]
            shown.add_row(
                v.policy, name, f"{found.value:.3f}", _interval(found),
                f"{gain.value:+.3f} {_interval(gain, '+')}",
            )  # fmt: skip
    return shown


def support_table(values: list[PolicyValue]) -> Table:
    """Return how far the log speaks for each policy."""
    shown = Table(title=f"Support, of {values[0].support.decisions:,} decisions")
    shown.add_column("policy")
    names = ("effective", "largest weight", "cut", "mean weight", "unsupported")
    for name in names:
        shown.add_column(name, justify="right")
    for v in values:
        s = v.support
        shown.add_row(
            v.policy,
            f"{s.effective_sample_size:,.0f}",
            f"{s.largest_weight:.1f}",
            f"{s.clipped_share:.1%}",
            f"{s.mean_weight:.2f} ± {s.mean_weight_error:.2f}",
            f"{s.unsupported_mass:.2%}",
        )
    return shown


def forest_plot(values: list[PolicyValue], logged: Estimate, level: float, path: Path) -> None:
    """Write a PNG with each estimate, its interval, and the log's own value as a band."""
    rows = [(v, name) for v in values for name in (v.values or ["refused"])]
    figure = Figure(figsize=(8, 1.4 + _ROW_INCHES * len(rows)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.axvspan(logged.low, logged.high, color="#dddddd", label="the log's own")
    axes.axvline(logged.value, color="#666666", linewidth=1)
    for place, (v, name) in enumerate(rows):
        if v.refusal:
            axes.text(logged.value, place, " refused: no support", va="center", fontsize=9)
            continue
        e = v.values[name]
        axes.plot([e.low, e.high], [place, place], color=_COLOURS[name], linewidth=2)
        axes.plot(e.value, place, "o", color=_COLOURS[name])
    axes.set_yticks(range(len(rows)), [f"{v.policy}, {name}" for v, name in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel(f"mean reward a decision, {level:.0%} intervals")
    axes.legend(loc="upper left", bbox_to_anchor=(0, 1.0 + 0.9 / (len(rows) + 1)), frameon=False)
    figure.savefig(path, dpi=120)


def _interval(found: Estimate, sign: str = "") -> str:
    return f"[{found.low:{sign}.3f}, {found.high:{sign}.3f}]"
