"""The report's plots, each an SVG text; axes carry names and units."""

import io
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.evaluation.ablation import Ablation
from training.evaluation.calibration import CalibrationCurve
from training.evaluation.importance import FeatureImportance
from training.evaluation.intervals import Estimate
from training.evaluation.measures import METRICS
from training.evaluation.results import MODEL, Measured
from training.evaluation.segments import Segment
from training.evaluation.staleness import Staleness

BLUE, ORANGE, GREY = "#1f5f99", "#d9730d", "#777777"
_FEATURES_SHOWN = 20


def reliability(curve: CalibrationCurve) -> str:
    """Draw what was said against what happened, with the diagonal of a perfect model."""
    figure, axes = _figure(5.2, 4.6)
    said = [each.said for each in curve.bins]
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", label="perfect")
    happened = [each.happened for each in curve.bins]
    label = "model, a tenth of the offers each"
    _bars(axes, said, happened, color=BLUE, fmt="o-", label=label)
    top = min(1.0, 1.1 * max(*said, *(each.high for each in happened)))
    axes.set(xlim=(0, top), ylim=(0, top))
    axes.set_xlabel("predicted chance of success (share)")
    axes.set_ylabel("offers that succeeded (share)")
    axes.legend()
    return _svg(figure)


def contenders(measured: dict[str, Measured], metric: str) -> str:
    """Draw one metric of the model, the simpler one and the rules, with intervals."""
    figure, axes = _figure(6.4, 2.6)
    names = [name for name in measured if np.isfinite(measured[name][metric].value)]
    for row, name in enumerate(names):
        colour = BLUE if name == MODEL else GREY
        _bars_sideways(axes, [measured[name][metric]], [row], color=colour)
    axes.set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
    axes.invert_yaxis()
    axes.set_xlabel(_axis(metric))
    return _svg(figure)


def segments(found: Sequence[Segment], metric: str, overall: float) -> str:
    """Draw one metric of every segment, with the value over all events as a line."""
    shown = [each for each in found if np.isfinite(each.measured[metric].value)]
    figure, axes = _figure(7.2, 0.8 + 0.24 * max(len(shown), 1))
    axes.axvline(overall, color=GREY, linestyle="--", label="all events")
    for small, colour, label in ((False, BLUE, "segment"), (True, ORANGE, "too few events")):
        rows = [row for row, each in enumerate(shown) if each.small == small]
        if rows:
            values = [shown[row].measured[metric] for row in rows]
            _bars_sideways(axes, values, rows, color=colour, label=label)
    axes.set_yticks(range(len(shown)), [f"{s.dimension}: {s.name} ({s.events:,})" for s in shown])
    axes.invert_yaxis()
    axes.set_xlabel(_axis(metric))
    axes.set_title("segment (events)", loc="left", fontsize="small")
    axes.margins(y=0.02)
    axes.legend(fontsize="small")
    return _svg(figure)


def importance(features: Sequence[FeatureImportance]) -> str:
    """Draw both importances side by side, the largest first."""
    shown = features[:_FEATURES_SHOWN]
    figure, axes = _figure(7.2, 0.9 + 0.3 * len(shown))
    rows = np.arange(len(shown))
    axes.barh(rows - 0.2, [f.shap for f in shown], 0.38, color=BLUE, label="mean |SHAP|")
    change = [f.values_change for f in shown]
    axes.barh(rows + 0.2, change, 0.38, color=ORANGE, label="PredictionValuesChange")
    axes.set_yticks(rows, [f.name for f in shown])
    axes.margins(y=0.02)
    axes.invert_yaxis()
    axes.set_xlabel("share of the whole")
    axes.legend()
    return _svg(figure)


def ablation(found: Sequence[Ablation], metric: str) -> str:
    """Draw what each group of features is worth in one metric."""
    figure, axes = _figure(6.4, 3.2)
    axes.axvline(0, color=GREY, linestyle="--")
    rows = range(len(found))
    _bars_sideways(axes, [each.gained[metric] for each in found], rows, color=BLUE)
    axes.set_yticks(rows, [each.group for each in found])
    axes.invert_yaxis()
    axes.set_xlabel(f"{_axis(metric)}: with the group less without")
    return _svg(figure)


def staleness(
    found: Sequence[Staleness], metric: str, limit_min: float | None, without: float | None
) -> str:
    """Draw what delays of one view cost, values kept and with the limits of serving.

    Args:
        found: The delays of one view, the shortest first.
        metric: Of ``METRICS``.
        limit_min: The view's ``max_age_s`` in minutes; None where it has none.
        without: The change when the view does not exist and the models were trained so; None
            where that was not measured.
    """
    figure, axes = _figure(5.2, 3.4)
    axes.axhline(0, color=GREY, linestyle="--")
    if limit_min is not None:
        axes.axvline(limit_min, color=GREY, linestyle=":", label="limit (max_age_s)")
    if without is not None:
        axes.axhline(without, color="black", linestyle="-.", label="trained without the view")
    delays = [each.delay_min for each in found]
    kept, limited = ([getattr(s, mode)[metric] for s in found] for mode in ("kept", "limited"))
    # moved apart, or the intervals of one delay would hide each other
    left, right = [d - 0.08 for d in delays], [d + 0.08 for d in delays]
    _bars(axes, left, kept, color=ORANGE, fmt="o-", label="used as if current")
    _bars(axes, right, limited, color=BLUE, fmt="s-", label="unknown beyond the limit")
    axes.set_title(found[0].view, fontsize="medium")
    axes.set_xlabel("features older by (minutes)")
    axes.set_ylabel(f"change of {METRICS[metric].title}\n({METRICS[metric].unit})")
    axes.legend(fontsize="small")
    return _svg(figure)


def _axis(metric: str) -> str:
    return f"{METRICS[metric].title} ({METRICS[metric].unit})"


def _figure(width_in: float, height_in: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _bars(axes: Axes, x: Sequence[float], y: Sequence[Estimate], **style: Any) -> None:
    axes.errorbar(x, [each.value for each in y], yerr=_reach(y), capsize=3, **style)


def _bars_sideways(axes: Axes, x: Sequence[Estimate], y: Sequence[float], **style: Any) -> None:
    axes.errorbar([each.value for each in x], y, xerr=_reach(x), fmt="o", capsize=3, **style)


def _reach(found: Sequence[Estimate]) -> list[list[float]]:
    """Return how far the intervals reach below and above; rounding may not make it negative."""
    below = [max(each.value - each.low, 0.0) for each in found]
    return [below, [max(each.high - each.value, 0.0) for each in found]]


def _svg(figure: Figure) -> str:
    """Return the drawing as text; the same figures give the same text."""
    text = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "evaluation", "svg.fonttype": "none"}):
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()
