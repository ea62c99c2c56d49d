"""Policies in small worlds."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.closed_loop.game import Game
from benchmarks.closed_loop.play import Match, play, play_policy
from benchmarks.closed_loop.report import write
from benchmarks.closed_loop.requests import requests_of
from benchmarks.closed_loop.results import results_of
from benchmarks.closed_loop.run import load_game, played, run
from simulator.policy import Choice, Ranking, certain
from training.errors import DataError

DEN = 0


@dataclass(frozen=True)
class _Drawn:
    """Ranks by noise."""

    normal: bool

    def rank(self, choice: Choice, rng: np.random.Generator) -> Ranking:
        size = len(choice.candidates)
        return certain(rng.normal(size=size) if self.normal else rng.random(size))


def _chance(frame: pd.DataFrame) -> float:
    return float(frame["first_choice_chance"].mean())


@pytest.fixture(scope="module")
def frames(game: Game) -> dict[str, pd.DataFrame]:
    """What became of the requests of Denver, by policy."""
    names = ("nearest", "lowest_eta", "history_only", "informed", "oracle")
    return {name: play(game, Match(5, DEN, name)) for name in names}


def test_the_oracle_beats_nearest(frames: dict[str, pd.DataFrame]) -> None:
    """The oracle's first choices are likelier to succeed, and more of its requests do."""
    assert _chance(frames["oracle"]) > _chance(frames["nearest"]) + 0.05
    assert frames["oracle"]["success"].mean() > frames["nearest"]["success"].mean()


def test_what_is_observed_is_worth_something_and_not_all(frames: dict[str, pd.DataFrame]) -> None:
    """Hidden traits with observed states choose better than nearness, and worse than the truth."""
    assert _chance(frames["nearest"]) < _chance(frames["informed"]) < _chance(frames["oracle"])


def test_noise_is_no_better_than_uniform(game: Game) -> None:
    """Two ways to draw an order evenly do as well as each other, and worse than nearness."""
    match = Match(5, DEN, "noise")
    normal, uniform = (
        play_policy(game, match, _Drawn(normal), observes=False) for normal in (True, False)
    )
    error = np.hypot(*(f["first_choice_chance"].std() / np.sqrt(len(f)) for f in (normal, uniform)))
    assert abs(_chance(normal) - _chance(uniform)) < 3 * error
    nearest = play(game, Match(5, DEN, "nearest"))
    assert _chance(normal) < _chance(nearest) - 3 * error


def test_every_decision_is_of_a_request_of_the_world(
    game: Game, frames: dict[str, pd.DataFrame]
) -> None:
    """The requests asked for beforehand are those that every policy meets, with the same ids."""
    asked = requests_of(game, 5, DEN)
    assert asked["time_s"].between(game.start_s, game.close_s).all()
    for frame in frames.values():
        joined = asked.merge(frame, on="event_id", how="left")
        assert len(joined) == len(asked)
        assert joined["end"].notna().mean() > 0.9
    # what a policy decided besides came in the warm-up, before the first request that counts
    early = set(frames["oracle"]["event_id"]) - set(asked["event_id"])
    assert max(early) < asked["event_id"].min()


def test_results_do_not_depend_on_processes(game: Game, tmp_path: Path) -> None:
    """One process and two leave the same files, and a second run plays nothing."""
    for processes in (1, 2):
        list(run(game, tmp_path / str(processes), processes))
    one, two = (sorted((tmp_path / name / "matches").iterdir()) for name in ("1", "2"))
    assert [path.name for path in one] == [path.name for path in two]
    assert len(one) == 3
    for left, right in zip(one, two, strict=True):
        pd.testing.assert_frame_equal(pd.read_parquet(left), pd.read_parquet(right))
    assert list(run(game, tmp_path / "1", 1)) == []
    with pytest.raises(DataError, match=r"holds a game with days 0\.25, not 2"):
        list(run(replace(game, days=2.0), tmp_path / "1", 1))
    with pytest.raises(DataError, match="did not play"):
        results_of(game, played(load_game(tmp_path / "1"), tmp_path / "1"))


def test_a_report_has_every_policy(
    game: Game, frames: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    """The page and the numbers are of what was played, here with nearest in the model's place."""
    asked = requests_of(game, 5, DEN)
    became = {**frames, "model": frames["nearest"]}
    joined = {name: asked.merge(frame, on="event_id", how="left") for name, frame in became.items()}
    results = results_of(game, joined)
    page = write(results, tmp_path).read_text()
    assert all(f"<td>{name}</td>" in page for name in became)
    assert results.measured["model"] == results.measured["nearest"]
    assert (tmp_path / "results.json").stat().st_size > 1000
