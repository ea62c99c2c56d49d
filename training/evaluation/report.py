"""One self-contained HTML page: words first, then every number and plot."""

import base64
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from feature_repo.schema import STREAM_VIEWS
from training.evaluation import plots, verdicts, view_costs
from training.evaluation.findings import findings
from training.evaluation.importance import by_view
from training.evaluation.intervals import Estimate
from training.evaluation.measures import METRICS
from training.evaluation.results import MODEL, Results
from training.evaluation.rules import ORACLE
from training.evaluation.segments import FEWEST_EVENTS
from training.evaluation.staleness import ALL_VIEWS

_TEMPLATE = "report.html.template"
NOT_MEASURED = "\N{EN DASH}"


def write(results: Results, path: Path) -> None:
    """Write the report."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(results), encoding="utf-8")


def render(results: Results) -> str:
    """Return the report as HTML."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=number, estimate=estimate, change=change, image=image)
    return environment.get_template(_TEMPLATE).render(
        results=results,
        findings=findings(results),
        headline=headline(results),
        metrics=METRICS,
        judged=verdicts.JUDGED,
        fewest_events=FEWEST_EVENTS,
        views=by_view(results.importance),
        costs=view_costs.costs(),
        candidates=view_costs.CANDIDATES,
        verdict=verdicts.of,
        drawn=_plots(results),
    )


def headline(results: Results) -> list[tuple[str, str]]:
    """Return the few numbers that matter most, as shown, each with what to compare it with."""
    found, metric = results.contenders, results.decisive
    model, curve = found[MODEL], results.calibration
    best = f", best possible {found[ORACLE][metric].value:.1%}" if ORACLE in found else ""
    return [
        (
            f"{model[metric].value:.1%}",
            f"{METRICS[metric].title}; nearest {found['nearest'][metric].value:.1%}{best}",
        ),
        (
            f"{model['eta_mae_min'].value:.1f} min",
            f"off in arrival; the ETA formula {found['lowest_eta']['eta_mae_min'].value:.1f} min",
        ),
        (f"{model['eta_p90_coverage'].value:.1%}", "arrive within the p90; should be 90%"),
        (
            f"{curve.error:.1%}",
            f"off in the chance of success; by luck up to {curve.error_if_right:.1%}",
        ),
    ]


def _plots(results: Results) -> dict[str, list[str]]:
    """Return the drawings of each section."""
    metric = results.decisive
    overall = results.contenders[MODEL][metric].value
    shown = dict.fromkeys([metric, "ndcg_at_1"])
    drawn = {
        "ranking": [plots.contenders(results.contenders, name) for name in shown],
        "calibration": [plots.reliability(results.calibration)],
        "segments": [plots.segments(results.segments, metric, overall)],
        "importance": [plots.importance(results.importance)],
        "ablation": [plots.ablation(results.ablation, metric)] if results.ablation else [],
        "staleness": [],
    }
    if results.staleness is not None:
        views = {ALL_VIEWS: None, **{view.name: view.max_age_s for view in STREAM_VIEWS}}
        drawn["staleness"] = [_aged(results, view, limit_s) for view, limit_s in views.items()]
    return drawn


def _aged(results: Results, view: str, limit_s: float | None) -> str:
    found = [each for each in results.staleness or [] if each.view == view]
    limit_min = None if limit_s is None else limit_s / 60
    worth = {each.group: each.gained[results.decisive].value for each in results.ablation or []}
    without = -worth[view] if view in worth else None
    return plots.staleness(found, results.decisive, limit_min, without)


def number(value: float, digits: int = 3) -> str:
    """Return a number as it is shown; what was not measured is a dash, never ``nan``."""
    return f"{value:,.{digits}f}" if np.isfinite(value) else NOT_MEASURED


def estimate(found: Estimate, digits: int = 3) -> Markup:
    """Return a number with its interval."""
    return _with_interval(found, f",.{digits}f")


def change(found: Estimate, digits: int = 3) -> Markup:
    """Return a difference with its interval; every number with its sign."""
    return _with_interval(found, f"+,.{digits}f")


def _with_interval(found: Estimate, form: str) -> Markup:
    value = f"{found.value:{form}}" if np.isfinite(found.value) else NOT_MEASURED
    if not np.isfinite(found.low):
        return Markup("{}").format(value)
    interval = f"({found.low:{form}} to {found.high:{form}})"
    return Markup('{} <span class="interval">{}</span>').format(value, interval)


def image(svg: str, title: str) -> Markup:
    """Return a drawing as an image of the page itself; as such its ids cannot meet others'."""
    encoded = base64.b64encode(svg.encode()).decode()
    source = f"data:image/svg+xml;base64,{encoded}"
    return Markup('<img alt="{}" src="{}">').format(title, source)
