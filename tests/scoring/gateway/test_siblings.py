import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from scoring.gateway.held import Question
from scoring.gateway.siblings import SUFFIX, Siblings

WHY = Question("evt", "den-1")


@pytest.fixture
def siblings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Siblings]:
    """Three processes with a directory in common."""
    three = []
    for number in (11, 12, 13):
        monkeypatch.setattr("os.getpid", lambda number=number: number)
        three.append(Siblings(tmp_path))
    return three


async def test_a_sibling_that_holds_the_decision_answers(siblings: list[Siblings]) -> None:
    """Whoever is asked finds the one process that knows, and hands its answer on unchanged."""
    long = b"x" * 1_000_000
    known = [{}, {}, {WHY: b"why", Question("evt", None): long}]
    async with AsyncExitStack() as running:
        for process, held in zip(siblings, known, strict=True):
            await running.enter_async_context(process.listening(held.get))
        assert await siblings[0].ask(WHY) == b"why"
        assert await siblings[1].ask(Question("evt", None)) == long
        assert await siblings[0].ask(Question("another", None)) is None
        assert await siblings[2].ask(WHY) is None  # it does not ask itself


async def test_a_process_that_was_killed_is_passed_over(
    siblings: list[Siblings], tmp_path: Path
) -> None:
    """The file of a dead process, or one that is no socket, holds nobody up."""
    dead = await asyncio.start_unix_server(lambda *_: None, tmp_path / f"1{SUFFIX}")
    dead.close()
    await dead.wait_closed()
    (tmp_path / f"2{SUFFIX}").touch()
    async with siblings[2].listening({WHY: b"why"}.get):
        assert await siblings[0].ask(WHY) == b"why"
    assert not (tmp_path / f"13{SUFFIX}").exists()


async def test_a_process_that_is_alone_asks_nobody() -> None:
    """Without a directory there is nobody to ask, and nobody listens."""
    alone = Siblings(None)
    async with alone.listening({WHY: b"why"}.get):
        assert await alone.ask(WHY) is None
