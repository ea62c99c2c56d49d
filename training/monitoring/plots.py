"""The report's plots, each as the source of an ``img`` tag."""

import base64
import io

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.monitoring.drift import is_of_the_world
from training.monitoring.limits import Limits
from training.monitoring.segments import ALL

_DOTS_PER_INCH = 110
_OURS, _THEIRS = "tab:blue", "tab:grey"


def skew(table: pd.DataFrame, limits: Limits) -> str:
    """Return a bar for each feature that is not always equal; empty if all are."""
    unequal = table[table["equal_share"] < 1].sort_values("equal_share", ascending=False)
    if unequal.empty:
        return ""
    figure = Figure(figsize=(8, 0.8 + 0.22 * len(unequal)), layout="constrained")
    axes = figure.subplots()
    axes.barh(unequal["feature"], unequal["equal_share"], color=_OURS)
    axes.axvline(limits.equal_share, color="tab:red", label=f"limit {limits.equal_share:g}")
    axes.set_xlabel("share of served values exactly equal to history's")
    axes.tick_params(axis="y", labelsize=7)
    axes.legend()
    return _source(figure)


def drift(table: pd.DataFrame, limits: Limits) -> str:
    """Return PSI of each feature (row) in each segment (column), by colour."""
    grid = table.pivot_table(index="feature", columns="segment", values="psi", sort=False)
    figure = Figure(figsize=(9, 1.5 + 0.17 * len(grid)), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(
        grid.to_numpy(), aspect="auto", cmap="YlOrRd", vmin=0, vmax=2 * limits.psi,
        interpolation="nearest",
    )  # fmt: skip
    names = [f"{name} *" if is_of_the_world(name) else name for name in grid.index]
    axes.set_yticks(range(len(grid)), names, fontsize=6)
    axes.set_xticks(range(grid.shape[1]), grid.columns, rotation=60, ha="right", fontsize=7)
    axes.set_title("PSI against the bundle's reference; * moves with the world", fontsize=9)
    figure.colorbar(image, ax=axes, shrink=0.4)
    return _source(figure)


def histogram(name: str, served: pd.Series, reference: pd.Series) -> str:
    """Return one feature's distribution, served and in the reference."""
    figure = Figure(figsize=(4, 2.4), layout="constrained")
    axes = figure.subplots()
    ours, theirs = served.dropna(), reference.dropna()
    both = np.concatenate([ours, theirs])
    edges = np.linspace(both.min(), both.max(), 31) if len(both) else 10
    for values, colour, label in ((theirs, _THEIRS, "training"), (ours, _OURS, "served")):
        if len(values):
            weights = np.full(len(values), 1 / len(values))
            axes.hist(values, edges, weights=weights, alpha=0.6, color=colour, label=label)
    axes.set_title(name, fontsize=8)
    axes.set_ylabel("share", fontsize=7)
    axes.legend(fontsize=7)
    return _source(figure)


def ages(table: pd.DataFrame) -> str:
    """Return the range of each age, served beside the reference."""
    whole = table[table["segment"] == ALL].dropna(subset=["median"]).reset_index(drop=True)
    figure = Figure(figsize=(8, 2.6), layout="constrained")
    axes = figure.subplots()
    for offset, suffix, colour, label in (
        (0.12, "_reference", _THEIRS, "training"),
        (-0.12, "", _OURS, "served"),
    ):
        y = whole.index + offset
        low, high = whole[f"freshest{suffix}"], whole[f"p95{suffix}"]
        axes.hlines(y, low, high, color=colour, linewidth=5, alpha=0.6, label=label)
        axes.plot(whole[f"median{suffix}"], y, "k|", markersize=9)
    axes.set_yticks(whole.index, whole["feature"], fontsize=8)
    axes.set_xscale("symlog", linthresh=60)
    axes.set_xlabel("seconds: 10th to 95th percentile, and the median")
    axes.legend()
    return _source(figure)


def calibration(deciles: pd.DataFrame) -> str:
    """Return what happened against what was told, with intervals; empty without labels."""
    if deciles.empty:
        return ""
    figure = Figure(figsize=(4.6, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="lightgrey")
    spread = [deciles["happened"] - deciles["low"], deciles["high"] - deciles["happened"]]
    axes.errorbar(deciles["chance"], deciles["happened"], spread, fmt="o", color=_OURS, capsize=3)
    axes.set_xlabel("chance of success that was told, mean of a decile")
    axes.set_ylabel("share that succeeded, 95 % interval")
    return _source(figure)


def ripening(table: pd.DataFrame) -> str:
    """Return success, Brier score and AUC by the age of the labels; empty without labels."""
    if not table["offers"].sum():
        return ""
    figure = Figure(figsize=(8, 2.4), layout="constrained")
    panels: list[Axes] = list(figure.subplots(1, 3))
    for axes, name, label in zip(
        panels, ("success", "brier", "auc"), ("share of successes", "Brier score", "AUC"),
        strict=True,
    ):  # fmt: skip
        axes.plot(table["age_h"], table[name], "o-", color=_OURS)
        axes.set_xlabel("age of the label, hours")
        axes.set_title(label, fontsize=9)
    return _source(figure)


def _source(figure: Figure) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DOTS_PER_INCH)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
