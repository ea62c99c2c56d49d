"""Figures of a design, its effects, and what simulated experiments say; all PNG files."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from training.switchback.analysis import Effect
from training.switchback.blocks import Assignment, Floats
from training.switchback.guardrails import Guardrail
from training.switchback.trials import Share

_CONTROL, _TREATMENT, _LIMIT = "#d0d7de", "#0072b2", "#d55e00"
NO_ENDS = "interval without ends: too few blocks for this level"
_TITLES = {
    "success": "success, share",
    "minutes_to_arrival": "minutes to arrival",
    "redispatch": "re-dispatch, share",
}


def assignment(to: Assignment, path: Path) -> None:
    """Plot the arm of each block: a panel a region, days down, hours across."""
    regions, days, slots = to.treated.shape
    across = min(regions, 4)
    down = -(-regions // across)
    figure = _figure(2.6 * across, 0.8 + down * (1.0 + 0.11 * days))
    panels = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True)
    colours = ListedColormap([_CONTROL, _TREATMENT])
    hours = (to.table["block_start"].iloc[:slots].dt.hour).to_numpy()
    for number, panel in enumerate(panels.ravel()):
        panel.set_visible(number < regions)
        if number >= regions:
            continue
        panel.imshow(to.treated[number], cmap=colours, vmin=0, vmax=1, aspect="auto")
        panel.set_title(to.regions[number], fontsize=10)
        panel.set_xticks(range(0, slots, max(1, slots // 4)), hours[:: max(1, slots // 4)])
        panel.set_xlabel("hour, UTC")
    panels[0, 0].set_ylabel("day")
    figure.suptitle("blue: treatment, grey: control", fontsize=10)
    figure.savefig(path, dpi=120)


def effects(
    found: dict[str, Effect], guardrails: list[Guardrail], level: float, path: Path
) -> None:
    """Plot each effect with its interval, in its own unit, and the guardrails' limits."""
    limits = {guardrail.metric: guardrail.most_added for guardrail in guardrails}
    figure = _figure(7, 0.6 + 1.1 * len(found))
    panels = figure.subplots(len(found), 1, squeeze=False)[:, 0]
    for panel, (name, effect) in zip(panels, found.items(), strict=True):
        panel.axvline(0, color="#666666", linewidth=1)
        panel.plot(effect.value, 0, "o", color=_TREATMENT)
        _draw_interval(panel, effect)
        if name in limits:
            panel.axvline(limits[name], color=_LIMIT, linestyle="--", linewidth=1)
        panel.set_yticks([0], [_TITLES.get(name, name)])
        panel.set_ylim(-1, 1)
    panels[-1].set_xlabel(f"treatment less control, {level:.0%} intervals; dashed: most allowed")
    figure.savefig(path, dpi=120)


def _draw_interval(panel: Axes, effect: Effect) -> None:
    if np.isfinite([effect.low, effect.high]).all():
        panel.plot([effect.low, effect.high], [0, 0], color=_TREATMENT, linewidth=2)
        return
    panel.axhline(0, color=_TREATMENT, linestyle=":", linewidth=2)
    panel.text(
        0.5, 0.85, NO_ENDS, transform=panel.transAxes, ha="center", va="top", fontsize=9,
        bbox={"color": "white"},
    )  # fmt: skip


def power(shares: dict[int, Share], wanted: float, title: str, path: Path) -> None:
    """Plot the share of experiments that find the effect against the number of days."""
    days = list(shares)
    figure = _figure(6, 4)
    axes = figure.add_subplot()
    axes.fill_between(
        days, [s.low for s in shares.values()], [s.high for s in shares.values()],
        color=_CONTROL, label="95 % interval of the simulation",
    )  # fmt: skip
    axes.plot(days, [s.value for s in shares.values()], "o-", color=_TREATMENT)
    axes.axhline(wanted, color=_LIMIT, linestyle="--", linewidth=1, label=f"wanted: {wanted:.0%}")
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("days")
    axes.set_ylabel("power")
    axes.set_title(title, fontsize=10)
    axes.legend(loc="lower right", frameon=False)
    figure.savefig(path, dpi=120)


def false_alarms(p_values: dict[str, Floats], path: Path) -> None:
    """Plot how often each analysis gives a p-value up to each size; without effect, as often."""
    figure = _figure(5, 4.6)
    axes = figure.add_subplot()
    axes.plot([0, 0.2], [0, 0.2], color="#666666", linewidth=1, label="as it should be")
    for (name, values), colour in zip(
        p_values.items(), (_TREATMENT, _LIMIT, "#999999"), strict=True
    ):
        sizes = np.linspace(0, 0.2, 101)
        axes.plot(sizes, [(values <= size).mean() for size in sizes], color=colour, label=name)
    axes.set_xlabel("p-value")
    axes.set_ylabel("share of experiments without effect")
    axes.legend(loc="upper left", frameon=False)
    figure.savefig(path, dpi=120)


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure
