"""What the commands do: read, compute, print, write."""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from training.errors import DataError, GateError
from training.switchback import analysis, blocks, design, generator, plots, rehearsal, trials
from training.switchback.blocks import read_table, write_table
from training.switchback.design import HOURS_PER_DAY, Plan
from training.switchback.generator import Rates
from training.switchback.guardrails import Guardrail, Verdict, verdict
from training.switchback.trials import Trial

EFFECTS, EFFECTS_PLOT = "effects.csv", "effects.png"
_OUTCOMES = (
    "your own records, one row an event: event_id, region, time, success, minutes_to_arrival, "
    "redispatch"
)
SIZE = 0.05
_REFUSED_BY_CHANCE = 0.01
"""How often ``aa`` refuses an analysis whose false alarms truly are 5 %."""


def run_design(options: argparse.Namespace, console: Console) -> None:
    """Draw an assignment and write it."""
    plan = Plan(
        tuple(options.regions), options.start, options.days, options.hours_per_block,
        options.washout_minutes,
    )  # fmt: skip
    treated = design.assign(plan.shape, np.random.default_rng(options.seed))[0]
    table = design.assignment_table(plan, treated)
    write_table(table, options.out)
    picture = options.out.with_suffix(".png")
    plots.assignment(blocks.assignment(table), picture)
    shown = Table(title=f"{treated.size} blocks, {plan.start:%Y-%m-%d %H:%M %Z} on")
    for name in ("region", "treated", "control", "treated in any one slot"):
        shown.add_column(name, justify="left" if name == "region" else "right")
    for region, arms in zip(plan.regions, treated, strict=True):
        of_slot = arms.sum(axis=0)
        shown.add_row(
            region, f"{arms.sum()}", f"{(~arms).sum()}",
            f"{of_slot.min()} to {of_slot.max()} of {plan.days} days",
        )  # fmt: skip
    console.print(shown)
    console.print(f"Written: {options.out}, {picture}", soft_wrap=True)


def run_rehearse(options: argparse.Namespace, console: Console) -> None:
    """Draw outcomes of an assignment and write them."""
    to = blocks.assignment(read_table(options.assignment, "`design`"))
    regions, _, slots = to.treated.shape
    rates = generator.usual_rates(
        regions, HOURS_PER_DAY // slots, options.events_per_day, options.success_rate
    )
    rng = np.random.default_rng(options.seed)
    rows = rehearsal.outcome_rows(to, rates, options.effect, options.carry_over_minutes, rng)
    write_table(rows, options.out)
    console.print(f"Written: {options.out}, {len(rows):,} made-up events", soft_wrap=True)


def run_analyse(options: argparse.Namespace, console: Console) -> None:
    """Print and write the effects.

    Raises:
        GateError: A guardrail is broken.
    """
    to = blocks.assignment(read_table(options.assignment, "`design`"))
    gathered = blocks.gather(read_table(options.outcomes, _OUTCOMES), to)
    rng = np.random.default_rng(options.seed)
    found = analysis.effects(gathered.metrics, to.treated, options.redraws, rng, options.level)
    guardrails = [
        Guardrail("minutes_to_arrival", options.most_minutes_added),
        Guardrail("redispatch", options.most_redispatch_added),
    ]
    verdicts = {g.metric: verdict(found[g.metric], g) for g in guardrails}
    console.print(_effects_table(found, verdicts, options.level))
    console.print(
        f"{gathered.counted:,} events counted; left out: {gathered.in_washout:,} in a washout, "
        f"{gathered.outside:,} outside the experiment"
    )
    options.out.mkdir(parents=True, exist_ok=True)
    rows = [{"metric": name, **vars(effect)} for name, effect in found.items()]
    frame = pd.DataFrame(rows).assign(guardrail=[verdicts.get(name, "") for name in found])
    frame.to_csv(options.out / EFFECTS, index=False)
    plots.effects(found, guardrails, options.level, options.out / EFFECTS_PLOT)
    console.print(f"Written: {options.out / EFFECTS}, {options.out / EFFECTS_PLOT}", soft_wrap=True)
    broken = [f"{g.metric} rises by {found[g.metric].low:.3g} or more (at most {g.most_added:g})"
              for g in guardrails if verdicts[g.metric] is Verdict.BROKEN]  # fmt: skip
    if broken:
        raise GateError(f"guardrails are broken: {'; '.join(broken)}: do not roll this out")


def run_power(options: argparse.Namespace, console: Console) -> None:
    """Simulate experiments with an effect, for each number of days."""
    rates, rng = rates_for(options), np.random.default_rng(options.seed)
    shares = {}
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("simulating", total=options.simulations * len(options.days))
        for days in sorted(set(options.days)):
            trial = Trial(
                rates, days, options.washout_minutes, options.effect, options.simulations,
                options.redraws,
            )  # fmt: skip
            values = trials.simulate(trial, rng, lambda count: bar.advance(task, count))
            shares[days] = trials.rejected(values[trials.REDRAWN], SIZE)
    title = f"effect {options.effect:+.3f} on success, {_setting(options, rates)}"
    console.print(f"Power: {title}")
    shown = Table()
    for name in ("days", "power", "interval"):
        shown.add_column(name, justify="right")
    for days, share in shares.items():
        shown.add_row(f"{days}", f"{share.value:.0%}", f"{share.low:.0%} to {share.high:.0%}")
    console.print(shown)
    enough = [days for days, share in shares.items() if share.value >= options.wanted]
    console.print(
        f"{options.wanted:.0%} power from {enough[0]} days on" if enough
        else f"None of these reaches {options.wanted:.0%}: more days, regions or shorter blocks"
    )  # fmt: skip
    _write_plot(options.out, console, lambda path: plots.power(shares, options.wanted, title, path))


def run_aa(options: argparse.Namespace, console: Console) -> None:
    """Simulate experiments without an effect, and count how often each analysis sees one.

    Raises:
        GateError: The analysis is wrong more or less often than in 5 %, beyond chance.
    """
    rates, rng = rates_for(options), np.random.default_rng(options.seed)
    trial = Trial(
        rates, options.days, options.washout_minutes, 0.0, options.simulations, options.redraws
    )
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("simulating", total=options.simulations)
        values = trials.simulate(trial, rng, lambda count: bar.advance(task, count))
    shares = {name: trials.rejected(found, SIZE) for name, found in values.items()}
    shown = Table(title=f"False alarms at 5 %: {_setting(options, rates)}, {options.days} days")
    for name in ("analysis", "false alarms", "interval"):
        shown.add_column(name, justify="left" if name == "analysis" else "right")
    for name, share in shares.items():
        used = " (used by analyse)" if name == trials.REDRAWN else ""
        shown.add_row(name + used, f"{share.value:.1%}", f"{share.low:.1%} to {share.high:.1%}")
    console.print(shown)
    _write_plot(options.out, console, lambda path: plots.false_alarms(values, path))
    found, expected = (
        shares[trials.REDRAWN],
        trials.by_chance(SIZE, options.simulations, 1 - _REFUSED_BY_CHANCE),
    )
    within = (
        f"Of {options.simulations:,} experiments, an analysis with {SIZE:.0%} false alarms has "
        f"{expected.low:.1%} to {expected.high:.1%} by chance"
    )
    if not expected.low <= found.value <= expected.high:
        raise GateError(
            f"false alarms: {found.value:.1%}. {within}: do not use this design; take more days, "
            "more regions or shorter blocks"
        )
    console.print(f"{within}: {found.value:.1%} is as it should be.", soft_wrap=True)


def rates_for(options: argparse.Namespace) -> Rates:
    """Return the rates of past outcomes if any are given, else made-up ones."""
    if options.outcomes is None:
        return generator.usual_rates(
            options.regions, options.hours_per_block, options.events_per_day, options.success_rate
        )
    rows = read_table(options.outcomes, _OUTCOMES)
    return generator.rates_of(blocks.checked_outcomes(rows), options.hours_per_block)


def _setting(options: argparse.Namespace, rates: Rates) -> str:
    regions, _ = rates.events.shape
    return (
        f"{regions} regions, {options.hours_per_block} h blocks, {rates.events.sum():,.0f} events "
        "a day"
    )


def _effects_table(
    found: dict[str, analysis.Effect], verdicts: dict[str, Verdict], level: float
) -> Table:
    shown = Table(title=f"Treatment less control, {level:.0%} intervals")
    shown.add_column("metric")
    for name in ("control", "effect", "interval", "p"):
        shown.add_column(name, justify="right")
    shown.add_column("guardrail")
    for name, e in found.items():
        shown.add_row(
            name, f"{e.control:.3f}", f"{e.value:+.3f}", f"[{e.low:+.3f}, {e.high:+.3f}]",
            f"{e.p_value:.4f}", verdicts.get(name, "(the aim)"),
        )  # fmt: skip
    return shown


def _write_plot(path: Path | None, console: Console, draw: Callable[[Path], None]) -> None:
    if path is None:
        return
    if path.suffix != ".png":
        raise DataError(f"--out {path}: give a name that ends in .png")
    path.parent.mkdir(parents=True, exist_ok=True)
    draw(path)
    console.print(f"Written: {path}", soft_wrap=True)
