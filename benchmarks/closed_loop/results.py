"""What a game showed: every number that the page and the goal table tell, as one structure."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.closed_loop import measures
from benchmarks.closed_loop.contenders import BASELINE, MODEL, ORACLE, POLICIES
from benchmarks.closed_loop.game import Game
from simulator.metros import METROS
from training.errors import DataError
from training.evaluation.intervals import Estimate

_PERCENTILES = (10, 25, 50, 75, 90)


@dataclass(frozen=True)
class Guardrail:
    """How jobs are shared among providers.

    Attributes:
        gini: Of completed jobs, over all providers.
        top_tenth: Share of the jobs that the busiest tenth of the providers has.
        idle: Share of the providers without any job.
    """

    gini: float
    top_tenth: float
    idle: float


@dataclass(frozen=True)
class Segment:
    """Success in a part of the requests, and each policy's lead over the baseline."""

    dimension: str
    name: str
    requests: int
    success: dict[str, Estimate]
    changes: dict[str, Estimate]
    gap: Estimate


@dataclass(frozen=True)
class Results:
    """A game's results; each mapping is by policy.

    Attributes:
        days: Of each world.
        providers: Of each world.
        regions: The metros' names.
        seeds: Of the worlds.
        requests: All of them, a world after the other.
        blocks: What is resampled.
        measured: The metrics (``measures.METRICS``).
        changes: The metrics less those of the baseline.
        gap_closed: Share of the oracle's lead over the baseline.
        redispatch_saved: Share of the baseline's re-dispatches.
        common_minutes: Change of minutes to arrival over requests that both served.
        minutes: Percentiles 10, 25, 50, 75 and 90 of minutes to arrival, over arrivals.
        arrived_by: Share of all requests arrived at by 5, 10, ... 60 minutes.
        guardrails: How jobs are shared.
        by_hour: Success by solar hour, 0 to 23.
        segments: By region, in storms and not, and by service.
    """

    days: float
    providers: int
    regions: tuple[str, ...]
    seeds: tuple[int, ...]
    requests: int
    blocks: int
    measured: dict[str, dict[str, Estimate]]
    changes: dict[str, dict[str, Estimate]]
    gap_closed: dict[str, Estimate]
    redispatch_saved: dict[str, Estimate]
    common_minutes: dict[str, Estimate]
    minutes: dict[str, tuple[float, ...]]
    arrived_by: dict[str, tuple[float, ...]]
    guardrails: dict[str, Guardrail]
    by_hour: dict[str, tuple[float, ...]]
    segments: tuple[Segment, ...]


ARRIVED_BY_MIN = tuple(range(5, 65, 5))


def results_of(game: Game, played: Mapping[str, pd.DataFrame]) -> Results:
    """Measure what was played.

    Args:
        game: The game.
        played: Each policy's requests (``run.played``).

    Raises:
        DataError: The model, the baseline or the oracle did not play.
    """
    missing = [name for name in (BASELINE, MODEL, ORACLE) if name not in played]
    if missing:
        raise DataError(f"policies {missing} did not play: goals are told by them; add --policies")
    frames = {name: played[name] for name in POLICIES if name in played}
    low, high = frames[BASELINE], frames[ORACLE]
    return Results(
        days=game.days,
        providers=sum(game.played.values()),
        regions=tuple(METROS[metro].name for metro in sorted(game.played)),
        seeds=game.seeds,
        requests=len(low),
        blocks=low["block"].nunique(),
        measured={name: measures.measured(frame) for name, frame in frames.items()},
        changes={name: measures.changes(frame, low) for name, frame in frames.items()},
        gap_closed={name: measures.gap_closed(f, low, high) for name, f in frames.items()},
        redispatch_saved={n: measures.redispatch_saved(f, low) for n, f in frames.items()},
        common_minutes={n: measures.common_minutes(f, low) for n, f in frames.items()},
        minutes={name: _percentiles(frame) for name, frame in frames.items()},
        arrived_by={name: _arrived_by(frame) for name, frame in frames.items()},
        guardrails={name: _guardrail(game, frame) for name, frame in frames.items()},
        by_hour={name: _by_hour(frame) for name, frame in frames.items()},
        segments=_segments(frames),
    )


def _segments(frames: Mapping[str, pd.DataFrame]) -> tuple[Segment, ...]:
    storm = frames[BASELINE]["storm"].map({True: "storm", False: "no storm"})
    columns = {
        "region": frames[BASELINE]["metro"],
        "weather": storm,
        "service": frames[BASELINE]["service"],
    }
    return tuple(
        _segment(dimension, str(name), {n: f[column == name] for n, f in frames.items()})
        for dimension, column in columns.items()
        for name in sorted(column.unique())
    )


def _segment(dimension: str, name: str, frames: Mapping[str, pd.DataFrame]) -> Segment:
    low, ours, high = frames[BASELINE], frames[MODEL], frames[ORACLE]
    return Segment(
        dimension,
        name,
        len(low),
        {policy: measures.measured(frame)["success"] for policy, frame in frames.items()},
        {policy: measures.changes(f, low)["success"] for policy, f in frames.items()},
        measures.gap_closed(ours, low, high),
    )


def _percentiles(frame: pd.DataFrame) -> tuple[float, ...]:
    minutes = frame["minutes_to_arrival"].dropna()
    return tuple(float(np.percentile(minutes, at)) for at in _PERCENTILES)


def _arrived_by(frame: pd.DataFrame) -> tuple[float, ...]:
    minutes = frame["minutes_to_arrival"].to_numpy()
    return tuple(float((minutes <= by).mean()) for by in ARRIVED_BY_MIN)


def _by_hour(frame: pd.DataFrame) -> tuple[float, ...]:
    success = frame["success"].astype(np.float64).fillna(0.0)
    found = success.groupby(frame["hour"]).mean().reindex(range(24))
    return tuple(float(share) for share in found)


def _guardrail(game: Game, frame: pd.DataFrame) -> Guardrail:
    everybody = len(game.seeds) * sum(game.played.values())
    served = frame[frame["served_by"].fillna("") != ""]
    jobs = np.zeros(everybody)
    counts = served.groupby(["seed", "served_by"]).size().to_numpy(dtype=np.float64)
    jobs[: len(counts)] = counts
    busiest = np.sort(jobs)[::-1][: max(everybody // 10, 1)]
    return Guardrail(
        measures.gini(jobs), float(busiest.sum() / jobs.sum()), float((jobs == 0).mean())
    )
