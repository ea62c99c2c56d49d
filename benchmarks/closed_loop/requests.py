"""Who asks for help in a world: the same for all policies, whether or not anybody can come."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.closed_loop.game import DAY_S, TICK_S, WARM_UP_S, Game
from flink_jobs.event_schemas import DispatchEvent
from simulator.geography import Cells, cells_of, solar_hour
from simulator.luck import Floats
from simulator.metros import METROS, providers_of
from simulator.providers import provider_id
from simulator.weather import weather_at
from simulator.world import World

STORM = 0.25
"""From this share of a storm's full strength on, a request counts as made in it."""


def requests_of(game: Game, seed: int, metro: int) -> pd.DataFrame:
    """Return the requests of one world that count, by time.

    A world in which nobody answers is played: its requests are those of any other.

    Returns:
        ``event_id``, ``seed``, ``metro``, ``time_s``, ``block`` (seed, metro and day), ``hour``
        (solar, 0 to 23), ``service``, ``promised_minutes`` and ``storm`` (bool).
    """
    count = providers_of(game.providers, METROS[: game.metros])[metro]
    nobody = frozenset(provider_id(METROS[metro], index) for index in range(count))
    world = World(game.world(seed, nobody), game.start_s - WARM_UP_S, prefix(seed), metro=metro)
    asked = [event for event in _requests(world, game) if event.ts >= 1000 * game.start_s]
    name, cells = METROS[metro].name, cells_of(METROS[metro])
    time_s = np.array([event.ts / 1000 for event in asked])
    lat, lon = (np.array([getattr(event, axis) for event in asked]) for axis in ("lat", "lon"))
    day = ((time_s - game.start_s) // DAY_S).astype(np.int64)
    return pd.DataFrame(
        {
            "event_id": [event.event_id for event in asked],
            "seed": seed,
            "metro": name,
            "time_s": time_s,
            "block": [f"{seed}-{name}-{number}" for number in day],
            "hour": ((time_s / 3600 + lon / 15) % 24).astype(np.int64),
            "service": [event.service for event in asked],
            "promised_minutes": [event.promised_minutes for event in asked],
            "storm": _storm(cells, seed, time_s, cells.nearest(lat, lon)) >= STORM,
        }
    )


def prefix(seed: int) -> str:
    """Return what the event ids of a world begin with."""
    return f"loop{seed}"


def _requests(world: World, game: Game) -> list[DispatchEvent]:
    found: list[DispatchEvent] = []
    while world.now_s < game.close_s:
        found += [
            event
            for event in world.tick(min(world.now_s + TICK_S, game.close_s))
            if isinstance(event, DispatchEvent) and event.kind == "request"
        ]
    return found


def _storm(cells: Cells, seed: int, time_s: Floats, cell: npt.NDArray[np.int64]) -> Floats:
    """Return how far inside a storm each request is made, 0 to 1, to ten minutes."""
    moment = time_s // 600 * 600
    strength = np.zeros(len(time_s))
    for at in np.unique(moment):
        here = np.flatnonzero(moment == at)
        weather = weather_at(cells, seed, float(at), solar_hour(float(at), cells.lon))
        strength[here] = weather.storm[cell[here]]
    return strength
