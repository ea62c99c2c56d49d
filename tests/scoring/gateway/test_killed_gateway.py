"""What a gateway that is killed loses of its decisions, and what the next one makes good."""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.chaos.asker import Answer, Asker
from benchmarks.chaos.stack import Stack
from scoring.gateway.decision_log.log import FLUSH_S
from tests.support.kinesis_stand_in import KinesisStandIn, kinesis_stand_in

pytestmark = pytest.mark.integration

RATE, SECONDS = 20.0, 4.0
CALL_S = 0.75
"""For one call to the stream, on a busy machine."""
PATIENCE_S = 30.0


@pytest.fixture
def kinesis() -> Iterator[KinesisStandIn]:
    """The decision log's stream."""
    with kinesis_stand_in() as stand_in:
        yield stand_in


@pytest.fixture
def stack(tmp_path: Path, kinesis: KinesisStandIn) -> Iterator[Stack]:
    """A live stack whose decisions go to the stand-in."""
    with Stack(tmp_path, kinesis_url=kinesis.url) as stack:
        yield stack


def _ask(stack: Stack) -> list[Answer]:
    """Ask for some seconds, kill the gateway at once, and return the decisions.

    A busy machine may refuse some requests: there is no decision of those to lose.
    """

    async def ask() -> list[Answer]:
        asker = Asker(stack.gateway_port, seed=1)
        answers = await asker.ask(RATE, SECONDS)
        stack.gateway.kill()
        asker.close()
        return answers

    answers = asyncio.run(ask())
    assert {answer.status for answer in answers} <= {200, 429}
    return [answer for answer in answers if answer.status == 200]


def _answered_before(answers: list[Answer], before_s: float) -> set[str]:
    """Return the events answered so long before the last answer, or longer."""
    answered_s = {answer.event_id: answer.due_s + answer.latency_ms / 1000 for answer in answers}
    last_s = max(answered_s.values())
    return {event_id for event_id, at_s in answered_s.items() if at_s < last_s - before_s}


def _wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_killed_gateway_loses_the_last_moment_at_most(
    stack: Stack, kinesis: KinesisStandIn
) -> None:
    """After kill -9 the stream has all but what was answered in the last flush and one call."""
    answers = _ask(stack)
    safe = _answered_before(answers, FLUSH_S + CALL_S)
    assert len(safe) > RATE * SECONDS / 2
    assert safe <= set(kinesis.event_ids)


def test_what_waits_on_disk_outlives_a_kill(stack: Stack, kinesis: KinesisStandIn) -> None:
    """With the stream refusing, kill -9 and a new gateway: every decision on disk is sent."""
    kinesis.refusing = True
    answers = _ask(stack)
    assert kinesis.event_ids == []
    kinesis.refusing = False
    stack.gateway.start()
    safe = _answered_before(answers, FLUSH_S + CALL_S)
    assert safe
    _wait_until(lambda: safe <= set(kinesis.event_ids))
