"""A recommendation as a person wants to read it."""

from typing import Any

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text


def recommendation(request: dict[str, Any], answer: dict[str, Any]) -> Panel:
    """Return one answer as a panel: the request, the ranking, why, and how long it took."""
    if "error" in answer:
        return Panel(
            f"{answer['field']}: {answer['error']}\n{answer['remedy']}",
            title=_title(request),
            border_style="red",
        )
    parts: list[Any] = [_ranking(answer), Text("Why:"), _reasons(answer)]
    not_nearer = answer["why_not_nearer"]
    if not_nearer:
        parts.append(Text(f"Why not the nearest? {not_nearer['sentence']}.", style="italic"))
    parts.append(Text(_footer(answer), style="dim"))
    if answer["degraded"]:
        parts.append(Text(f"degraded: {', '.join(answer['degraded'])}", style="bold red"))
    return Panel(Group(*parts), title=_title(request), title_align="left", border_style="green")


def addresses(console: Console, places: dict[str, str]) -> None:
    """Print where everything is."""
    table = Table.grid(padding=(0, 2))
    for name, url in places.items():
        table.add_row(name, Text(url, style="bold"))
    console.print(Panel(table, title="Addresses", title_align="left"))


def _title(request: dict[str, Any]) -> str:
    location = request["location"]
    return (
        f"{request['event_id']}: {request['service']} at {location['lat']:.4f}, "
        f"{location['lon']:.4f}, promised within {request['promised_minutes']:.0f} min"
    )


def _ranking(answer: dict[str, Any]) -> Table:
    table = Table.grid(padding=(0, 2))
    for item in answer["recommendations"]:
        table.add_row(
            Text(f"{item['rank']}  {item['provider_id']}", style="bold"),
            f"{item['minutes_away']:.0f} to {item['minutes_away_p90']:.0f} min",
            f"success {item['success_probability']:.0%}",
            Text(_ages(item), style="dim"),
        )
    return table


def _reasons(answer: dict[str, Any]) -> Table:
    table = Table.grid(padding=(0, 2))
    for item in answer["recommendations"]:
        table.add_row(Text(f"{item['rank']}", style="bold"), "; ".join(item["reasons"]))
    return table


def _ages(item: dict[str, Any]) -> str:
    if item["freshest"] is None:
        return "features of unknown age"
    return f"features {item['freshest']['age_s']:.0f} to {item['stalest']['age_s']:.0f} s old"


def _footer(answer: dict[str, Any]) -> str:
    stages = "  ".join(f"{name} {spent:.1f}" for name, spent in answer["stage_ms"].items())
    excluded = ", ".join(f"{count} {code}" for code, count in answer["excluded"].items())
    return (
        f"{answer['candidates_considered']} considered; excluded: {excluded or 'none'}\n"
        f"ms: {stages}\nmodel {answer['versions']['model']}, policy {answer['versions']['policy']}"
    )
