"""One candidate's way under load: who was asked, what became of it, and what serves in the end."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from benchmarks.chaos.asker import Answer, Asker
from benchmarks.chaos.cases import percentile_ms
from benchmarks.promotion.models import EVALUATION, Candidate
from benchmarks.promotion.stack import BUCKET, INCUMBENT, Stack
from deploy.names import CANDIDATE_VARIANT
from deploy.promotion.evidence import Measured
from deploy.promotion.measurements import Measurements
from deploy.promotion.registry import Registry

CHUNK_S = 3.0
NOTED_S = 2.0
"""Metrics and captures are passed on once a second."""
COMPARED_S = 6.0
_OK, _OVERLOAD = 200, 429
# This machine's numbers say little of latency, and a few seconds have few requests.
_LIMITS = ("p99_ms=2000", "p99_share=20", "shadow_requests=50", "pairs=50", "canary_requests=5")
LIMITS = tuple(word for limit in _LIMITS for word in ("--limit", limit))

Result = TypeVar("Result")


@dataclass(frozen=True)
class Ended:
    """How a step of the promotion ended.

    Attributes:
        code: The command's exit code.
        lines: What it said.
    """

    code: int
    lines: tuple[str, ...]

    @property
    def last(self) -> str:
        """How it said that it ended."""
        ends = [line for line in self.lines if line.startswith(("done: ", "rolled back: "))]
        return ends[-1] if ends else "".join(self.lines[-1:])

    def refusals(self) -> list[str]:
        """Return the reasons for which it refused."""
        return [line.removeprefix("refused: ") for line in self.lines if "refused: " in line]


@dataclass(frozen=True)
class Outcome:
    """What became of a candidate.

    Attributes:
        ended: The step that decided.
        served: The endpoint configuration in service afterwards.
        seconds: How long that step took.
        answers: What the gateway answered meanwhile.
        candidate: What the candidate answered meanwhile.
    """

    ended: Ended
    served: str
    seconds: float
    answers: list[Answer]
    candidate: Measured

    @property
    def degraded(self) -> int:
        """Answers made on a lower rung of the gateway's ladder."""
        return sum(bool(answer.degraded) for answer in self.answers)

    @property
    def refused(self) -> int:
        """Requests that were one too many for this machine, and were told so."""
        return sum(answer.status == _OVERLOAD for answer in self.answers)

    @property
    def failed(self) -> int:
        """Requests that got neither a recommendation nor a refusal."""
        return sum(answer.status not in {_OK, _OVERLOAD} for answer in self.answers)

    @property
    def p99_ms(self) -> float:
        """Latency of the gateway's answers."""
        return percentile_ms(self.answers, 0.99)


class Runs:
    """Promotes candidates under load.

    Args:
        stack: What they run on.
        rate: Requests a second.
        bake_s: How long each share is watched.
        say: Is told each line of each step.
    """

    def __init__(self, stack: Stack, rate: float, bake_s: int, say: Callable[[str], None]) -> None:
        self._stack = stack
        self._rate = rate
        self._bake_s = str(bake_s)
        self._say = say
        self._asker = Asker(stack.gateway_port, seed=0)
        self._registry = Registry(stack.client("sagemaker"))
        self._measurements = Measurements(stack.cloudwatch)

    def close(self) -> None:
        """Close the connections."""
        self._asker.close()

    async def canary_by_hand(self, candidate: Candidate, bundle: Path) -> Outcome:
        """Put on canary what no gate was asked about: somebody has approved it by hand."""
        version = await self._register(candidate, bundle)
        package = self._registry.package(version)
        self._registry.approve(package, INCUMBENT, "by hand")
        return await self.canary(version)

    async def canary(self, version: int) -> Outcome:
        """Put an approved version on canary."""
        return await self._outcome("canary", "--version", str(version), "--bake-s", self._bake_s)

    async def in_shadow(self, candidate: Candidate, bundle: Path, report: Path) -> Outcome:
        """Put a candidate into shadow, and compare it."""
        version = await self._register(candidate, bundle)
        shadow = ("shadow", "--version", str(version), "--captures", f"s3://{BUCKET}/captures")
        await self._step(*shadow, "--capture-percent", "100", "--bake-s", "1")
        await self._load(lambda: time.sleep(COMPARED_S))
        return await self._outcome("compare", "--monitoring", str(report))

    async def rollback(self) -> Outcome:
        """Go back to what served before."""
        return await self._outcome("rollback")

    async def _register(self, candidate: Candidate, bundle: Path) -> int:
        image = () if candidate.image is None else ("--image", candidate.image)
        report = bundle.with_name(f"{candidate.name}-{EVALUATION}")
        given = ("--bundle", str(bundle), "--evaluation", str(report))
        await self._step("register", *given, "--to", f"s3://{BUCKET}/candidates", *image)
        return next(self._registry.packages()).version

    async def _outcome(self, *step: str) -> Outcome:
        began = datetime.now(UTC)
        ended, answers = await self._load(lambda: self._run(*step))
        took_s = (datetime.now(UTC) - began).total_seconds()
        await asyncio.sleep(NOTED_S)
        candidate = self._measurements.measured(CANDIDATE_VARIANT, began, datetime.now(UTC))
        return Outcome(ended, self._stack.served(), took_s, answers, candidate)

    async def _step(self, *step: str) -> None:
        """Run a step that only prepares the one that is looked at."""
        ended, _ = await self._load(lambda: self._run(*step))
        if ended.code:
            raise RuntimeError(f"{step[0]} ended with {ended.code}: {ended.last}")

    async def _load(self, work: Callable[[], Result]) -> tuple[Result, list[Answer]]:
        """Ask the gateway for as long as work takes; return what came of both."""
        working = asyncio.create_task(asyncio.to_thread(work))
        answers: list[Answer] = []
        while not working.done():
            await asyncio.to_thread(self._stack.refresh)
            answers += await self._asker.ask(self._rate, CHUNK_S)
        return await working, answers

    def _run(self, *step: str) -> Ended:
        lines = []
        with self._stack.promote(*LIMITS, *step) as process:
            assert process.stdout is not None
            for line in process.stdout:
                lines.append(line.rstrip())
                self._say(f"  {lines[-1]}")
        return Ended(process.returncode, tuple(lines))
