"""Each view's SQL in batch mode against a plain-Python oracle of its windows."""

import random

import pytest

from flink_jobs.views import JOBS, inputs_of, read_together
from tests.flink_jobs import oracles
from tests.flink_jobs.events import NOW_MS, Event, arrived, gps, state, step, traffic, weather
from tests.flink_jobs.replay import Replay

pytestmark = pytest.mark.flink
CELLS = ("872a1008bffffff", "872a10089ffffff")


def shuffled(events: list[Event], rng: random.Random) -> list[Event]:
    """Return the events out of order, and a third of them twice."""
    mixed = [*events, *rng.sample(events, len(events) // 3)]
    rng.shuffle(mixed)
    return mixed


def test_streams_that_some_view_reads_together_are_one_group() -> None:
    """Demand shares the offers with availability, so all that either reads is one group."""
    groups = [set(group) for group in read_together(JOBS)]
    assert {"dispatch-events", "provider-availability"} in groups
    assert sorted(stream for group in groups for stream in group) == sorted(inputs_of(JOBS))
    assert read_together(["cell_demand"]) == [("dispatch-events",)]


def test_motion_of_shuffled_and_repeated_fixes_is_the_oracles(batch: Replay) -> None:
    """Order and duplicates of fixes change no feature of any window."""
    rng = random.Random(1)
    fixes = [
        gps(
            f"p{i % 3}",
            NOW_MS + 1000 * i + rng.randrange(1000),
            lat=40 + i / 5000 + rng.random() / 10_000,
            lon=-75 + rng.random() / 10_000,
            speed_kph=round(rng.random() * 60, 2),
            heading_deg=rng.randrange(360),
        )
        for i in range(300)
    ]
    batch.put({"provider-gps": arrived(shuffled(fixes, rng))})

    oracles.assert_same_rows(batch.everything()["provider_motion"], oracles.motion(fixes))


def test_availability_at_every_event_is_the_oracles(batch: Replay) -> None:
    """Each event gives a row with the state then, and offers of exactly 30 and 60 minutes."""
    rng = random.Random(2)
    moments = iter(rng.sample(range(2 * 3_600_000), 240))
    kinds = ("offer", "accept", "decline", "arrive", "request")
    statuses = ("available", "en_route", "on_scene", "offline")
    states = [
        state(f"p{i % 3}", NOW_MS + next(moments), rng.choice(statuses),
              active_jobs=rng.randrange(4))
        for i in range(80)
    ]  # fmt: skip
    steps = [
        step(f"e{i}", NOW_MS + next(moments), kind := rng.choice(kinds))
        | ({"provider_id": f"p{i % 3}"} if kind != "request" else {})
        for i in range(160)
    ]
    batch.put(
        {
            "provider-availability": arrived(shuffled(states, rng)),
            "dispatch-events": arrived(shuffled(steps, rng)),
        }
    )

    oracles.assert_same_rows(
        batch.everything()["provider_availability"], oracles.availability(states, steps)
    )


def test_conditions_are_the_oracles_and_null_where_nothing_was_seen(batch: Replay) -> None:
    """Means count an observation once, and a cell without weather has null weather."""
    rng = random.Random(3)
    skies = [
        weather(NOW_MS + 20_000 * i, CELLS[0], precip_mm_h=rng.randrange(9), temp_c=i / 4,
                alert_level=rng.randrange(5), visibility_km=rng.randrange(1, 20))
        for i in range(30)
    ]  # fmt: skip
    roads = [
        traffic(NOW_MS + 13_000 * i, rng.choice(CELLS), speed_ratio=rng.random(),
                incidents=rng.randrange(3))
        for i in range(50)
    ]  # fmt: skip
    batch.put({"weather": arrived(shuffled(skies, rng)), "traffic": arrived(shuffled(roads, rng))})

    found = batch.everything()["cell_conditions"]

    oracles.assert_same_rows(found, oracles.conditions(skies, roads))
    assert {row["precip_mm_h"] for row in found if row["cell"] == CELLS[1]} == {None}


def test_demand_is_the_oracles_and_never_below_zero(batch: Replay) -> None:
    """A request counts once and is open until it ends; an end alone subtracts nothing."""
    rng = random.Random(4)
    steps = []
    for i in range(60):
        begun = NOW_MS + rng.randrange(5_400_000)
        cell = rng.choice(CELLS)
        steps.append(step(f"e{i}", begun, "request", cell))
        if rng.random() < 0.7:
            kind = rng.choice(("complete", "cancel"))
            steps.append(step(f"e{i}", begun + rng.randrange(1, 5_400_000), kind, cell))
    steps.append(step("before", NOW_MS + 5000, "complete", CELLS[0]))
    batch.put({"dispatch-events": arrived(shuffled(steps, rng))})

    found = batch.everything()["cell_demand"]

    oracles.assert_same_rows(found, oracles.demand(steps))
    assert min(row["open_requests"] for row in found) == 0
