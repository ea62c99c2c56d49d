"""The results as JSON, and as one self-contained HTML page: goals first, then every number."""

from pathlib import Path

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from benchmarks.closed_loop import goals, measures, plots
from benchmarks.closed_loop.contenders import MODEL, POLICIES
from benchmarks.closed_loop.results import Results
from training.evaluation.report import change, estimate, image

RESULTS, PAGE = "results.json", "report.html"
_TEMPLATE = "report.html.template"


def write(results: Results, out: Path) -> Path:
    """Write both files; return the page's path."""
    found = {"results": results, "goals": goals.goals(results)}
    (out / RESULTS).write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1))
    page = out / PAGE
    page.write_text(render(results), encoding="utf-8")
    return page


def render(results: Results) -> str:
    """Return the page."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(estimate=estimate, change=change, image=image)
    return environment.get_template(_TEMPLATE).render(
        results=results,
        goals=goals.goals(results),
        about={name: POLICIES[name].about for name in results.measured},
        metrics=measures.METRICS,
        drawn=_drawn(results),
    )


def _drawn(results: Results) -> dict[str, str]:
    def metric(name: str) -> str:
        found = {policy: of[name] for policy, of in results.measured.items()}
        return plots.by_policy(
            found, f"{measures.METRICS[name].title} ({measures.METRICS[name].unit})"
        )

    return {
        "Success rate": metric("success"),
        "Share of the gap closed": plots.by_policy(
            results.gap_closed,
            "share of the oracle's lead over lowest-ETA",
            goals.LEAST_GAP_CLOSED,
        ),
        "Minutes to arrival": metric("minutes"),
        "When somebody had arrived": plots.arrivals(results),
        "Re-dispatch": metric("redispatch"),
        f"Lead of the {MODEL} by region, weather and service": plots.segments(results.segments),
        "Success by hour": plots.by_hour(results),
        "How jobs are shared": plots.shares(results),
    }
