"""Plays all matches of a game in several processes and keeps what became of them in files."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import msgspec
import pandas as pd

from benchmarks.closed_loop.contenders import require_bundle
from benchmarks.closed_loop.game import Game
from benchmarks.closed_loop.play import Match, play
from benchmarks.closed_loop.requests import requests_of
from simulator.metros import METROS
from training.errors import DataError

GAME_FILE = "game.json"
REQUESTS = "requests"
"""In the place of a policy's name: the requests themselves."""


@dataclass(frozen=True)
class Done:
    """How far a run is: matches, weighed by their providers."""

    share: float
    last: Match


def run(game: Game, out: Path, processes: int) -> Iterator[Done]:
    """Play what was not played yet; the results do not depend on the number of processes.

    Args:
        game: What to play.
        out: Where a file a match is kept. A run that was stopped is taken up again.
        processes: How many matches at a time.

    Raises:
        DataError: The directory holds another game.
        BundleError: The model bundle cannot be used.
    """
    require_bundle(game)
    _begin(game, out)
    counts = game.played
    matches = [
        Match(seed, metro, policy)
        for seed in game.seeds
        for metro in counts  # the largest first: no process is left with a long one at the end
        for policy in (REQUESTS, *game.policies)
    ]
    left = [match for match in matches if not file_of(out, match).exists()]
    whole = sum(counts[match.metro] for match in matches)
    done = whole - sum(counts[match.metro] for match in left)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        under_way = {pool.submit(_play_to_file, game, out, match): match for match in left}
        for future in as_completed(under_way):
            future.result()
            done += counts[under_way[future].metro]
            yield Done(done / whole, under_way[future])


def file_of(out: Path, match: Match) -> Path:
    """Return the file of a match."""
    return out / "matches" / f"{match.seed}-{METROS[match.metro].name}-{match.policy}.parquet"


def load_game(out: Path) -> Game:
    """Return the game of a run's directory.

    Raises:
        DataError: There is none.
    """
    try:
        return msgspec.json.decode((out / GAME_FILE).read_bytes(), type=Game)
    except (OSError, msgspec.DecodeError) as error:
        raise DataError(
            f"{out / GAME_FILE} cannot be read ({error}); make it with "
            f"`python -m benchmarks.closed_loop run --out {out}`"
        ) from error


def played(game: Game, out: Path) -> dict[str, pd.DataFrame]:
    """Return each policy's requests with what became of them, the same requests in each.

    Raises:
        DataError: A match was not played.
    """
    return {policy: _of_policy(game, out, policy) for policy in game.policies}


def _of_policy(game: Game, out: Path, policy: str) -> pd.DataFrame:
    frames = []
    for seed in game.seeds:
        for metro in sorted(game.played):
            asked, became = (
                _read(file_of(out, Match(seed, metro, name))) for name in (REQUESTS, policy)
            )
            frames.append(asked.merge(became, on="event_id", how="left", validate="one_to_one"))
    return pd.concat(frames, ignore_index=True)


def _begin(game: Game, out: Path) -> None:
    """Write the game down, or check that it continues the one that is there.

    More seeds, regions and policies continue it; anything else is another game.
    """
    if (out / GAME_FILE).exists():
        there = load_game(out)
        fixed = ("start_s", "days", "providers", "metros", "bundle", "requests_per_hour")
        for name in fixed:
            if getattr(there, name) != getattr(game, name):
                raise DataError(
                    f"{out} holds a game with {name} {getattr(there, name)}, not "
                    f"{getattr(game, name)}: give another --out, or remove it"
                )
    out.joinpath("matches").mkdir(parents=True, exist_ok=True)
    (out / GAME_FILE).write_bytes(msgspec.json.encode(game))


def _play_to_file(game: Game, out: Path, match: Match) -> None:
    if match.policy == REQUESTS:
        frame = requests_of(game, match.seed, match.metro)
    else:
        frame = play(game, match)
    path = file_of(out, match)
    part = path.with_suffix(".part")
    frame.to_parquet(part, index=False)
    part.replace(path)


def _read(path: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(path)
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error}); play the game to its end with "
            f"`python -m benchmarks.closed_loop run --out {path.parents[1]}`"
        ) from error
