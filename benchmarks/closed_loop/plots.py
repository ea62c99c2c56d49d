"""Drawings for the page, as SVG text."""

import io
from collections.abc import Mapping, Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.closed_loop.contenders import BASELINE, MODEL, ORACLE
from benchmarks.closed_loop.results import ARRIVED_BY_MIN, Results, Segment
from training.evaluation.intervals import Estimate

_COLOURS = {MODEL: "#0072b2", BASELINE: "#d55e00", ORACLE: "#555555"}
_OTHERS = ("#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#999933", "#882255")


def colours(policies: Sequence[str]) -> dict[str, str]:
    """Return a colour for each policy."""
    others = [name for name in policies if name not in _COLOURS]
    return _COLOURS | dict(zip(others, _OTHERS, strict=False))


def by_policy(found: Mapping[str, Estimate], label: str, goal: float | None = None) -> str:
    """Draw one number of each policy with its interval, and a goal as a line."""
    figure, axes = _figure(6.4, 0.9 + 0.34 * len(found))
    shades = colours(tuple(found))
    for row, (name, estimate) in enumerate(found.items()):
        _bar(axes, estimate, row, shades[name])
    if goal is not None:
        axes.axvline(goal, color="black", linestyle=":", label="goal")
        axes.legend(fontsize="small")
    axes.set_yticks(range(len(found)), [name.replace("_", " ") for name in found])
    axes.invert_yaxis()
    axes.set_xlabel(label)
    return _svg(figure)


def segments(found: Sequence[Segment]) -> str:
    """Draw the model's lead over the baseline in each segment."""
    figure, axes = _figure(6.4, 0.9 + 0.3 * len(found))
    axes.axvline(0, color="#888888", linestyle="--")
    for row, segment in enumerate(found):
        _bar(axes, segment.changes[MODEL], row, _COLOURS[MODEL])
    axes.set_yticks(range(len(found)), [f"{s.dimension}: {s.name} ({s.requests:,})" for s in found])
    axes.invert_yaxis()
    axes.set_xlabel("success of the model less lowest-ETA (share of requests)")
    return _svg(figure)


def by_hour(results: Results) -> str:
    """Draw success over the solar hours."""
    figure, axes = _figure(7.2, 3.6)
    shades = colours(tuple(results.by_hour))
    for name, shares in results.by_hour.items():
        axes.plot(range(24), shares, color=shades[name], label=name.replace("_", " "))
    axes.set_xlabel("solar hour at the driver")
    axes.set_ylabel("success (share of requests)")
    axes.legend(fontsize="small", ncols=2)
    return _svg(figure)


def arrivals(results: Results) -> str:
    """Draw which share of all requests somebody had arrived at by when."""
    figure, axes = _figure(7.2, 3.6)
    shades = colours(tuple(results.arrived_by))
    for name, shares in results.arrived_by.items():
        axes.plot(ARRIVED_BY_MIN, shares, color=shades[name], label=name.replace("_", " "))
    axes.set_xlabel("minutes since the request")
    axes.set_ylabel("served by an arrival until then\n(share of all requests)")
    axes.legend(fontsize="small")
    return _svg(figure)


def shares(results: Results) -> str:
    """Draw how unevenly jobs are shared among providers."""
    figure, axes = _figure(6.4, 0.9 + 0.34 * len(results.guardrails))
    shades = colours(tuple(results.guardrails))
    for row, (name, found) in enumerate(results.guardrails.items()):
        axes.barh(row, found.gini, 0.6, color=shades[name])
    axes.set_yticks(range(len(shades)), [name.replace("_", " ") for name in results.guardrails])
    axes.invert_yaxis()
    axes.set_xlabel("Gini coefficient of completed jobs a provider (0 is equal)")
    return _svg(figure)


def _bar(axes: Axes, found: Estimate, row: float, colour: str) -> None:
    below, above = max(found.value - found.low, 0.0), max(found.high - found.value, 0.0)
    axes.errorbar([found.value], [row], xerr=[[below], [above]], fmt="o", capsize=3, color=colour)


def _figure(width_in: float, height_in: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _svg(figure: Figure) -> str:
    """Return the drawing as text; the same figures give the same text."""
    text = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "closed-loop", "svg.fonttype": "none"}):
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()
