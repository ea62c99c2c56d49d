"""The same job as a stream and in batch: the same rows, whatever the network did to the events."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from flink_jobs.validation import CHECKS
from tests.flink_jobs import oracles
from tests.flink_jobs.events import encode
from tests.flink_jobs.oracles import Row
from tests.flink_jobs.replay import Replay
from tests.flink_jobs.worlds import World, reversed_world, worlds

pytestmark = [pytest.mark.flink, pytest.mark.timeout(900)]

ORACLES: dict[str, Callable[[World], list[Row]]] = {
    "provider_motion": lambda world: oracles.motion(world.events("provider-gps")),
    "provider_availability": lambda world: oracles.availability(
        world.events("provider-availability"), world.events("dispatch-events")
    ),
    "cell_conditions": lambda world: oracles.conditions(
        world.events("weather"), world.events("traffic")
    ),
    "cell_demand": lambda world: oracles.demand(world.events("dispatch-events")),
}

# A try is a Flink job, seconds each: few of many events, and no look for the smallest.
FEW = settings(
    max_examples=2,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


def assert_made(made: dict[str, list[Row]], world: World) -> None:
    """Hold every view's rows, and the dead letters, to the oracles."""
    for view, oracle in ORACLES.items():
        oracles.assert_same_rows(made[view], oracle(world))
    refused = [
        {"source": name, "code": code, "record_text": encode(event)}
        for name, check in CHECKS.items()
        for code, event in oracles.judged(world.events(name), check.key)[1]
    ]
    oracles.assert_same_rows(made["dead_letters"], refused)


@given(world=worlds())
@FEW
def test_stream_batch_and_oracle_agree(world: World, batch: Replay, stream: Replay) -> None:
    """Shuffled, repeated and late within the bound, events make the same rows and dead letters."""
    for replay in (batch, stream):
        replay.put(world.arrived)
        assert_made(replay.everything(), world)


def test_order_is_restored_to_the_millisecond(batch: Replay, stream: Replay) -> None:
    """Dense events that come in reverse, as late as is waited for, make the rows of a batch."""
    world = reversed_world()
    for replay in (batch, stream):
        replay.put(world.arrived)
        assert_made(replay.everything(), world)


@given(world=worlds())
@FEW
def test_a_crash_in_the_middle_changes_nothing(world: World, crashing: Replay) -> None:
    """A job that fails half-way and goes on from its checkpoint makes the rows of one that ran."""
    crashing.put(world.arrived)
    arrived = world.arrived["dispatch-events"]
    assert_made(crashing.everything(crash_at=encode(arrived[len(arrived) // 2][0])), world)
