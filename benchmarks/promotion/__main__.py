"""``python -m benchmarks.promotion``: good and bad models promoted under load, and what it cost."""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.promotion import models
from benchmarks.promotion.models import CRASHING, GOOD, INVERTED, SLOW, WRONG, Candidate
from benchmarks.promotion.runs import Outcome, Runs
from benchmarks.promotion.stack import INCUMBENT, Stack
from deploy.local.processes import ProcessError

FAILED = 1
TABLE_COLUMNS = 160
console = Console(width=None if sys.stdout.isatty() else TABLE_COLUMNS)


class Story:
    """Everything that is tried, one after another.

    Args:
        runs: What tries it.
        directory: For bundles and the daily job's report.
        only: Part of the names of what is tried.
    """

    def __init__(self, runs: Runs, directory: Path, only: str) -> None:
        self._runs = runs
        self._directory = directory
        self._only = only
        self.table = Table(title="What became of each candidate, and of the requests meanwhile")
        for name in ("candidate", "step", "ended", "serves", "s", "requests", "of them by it",
                     "lower rung", "429", "failed", "p99 ms"):  # fmt: skip
            self.table.add_column(name, overflow="fold")
        self.wrong = 0

    async def tell(self) -> None:
        """Try everything."""
        for candidate in (SLOW, CRASHING, WRONG):
            if self._only in f"{candidate.name} canary":
                console.print(f"{candidate.name} on canary, approved by hand: {candidate.fault}")
                outcome = await self._runs.canary_by_hand(candidate, self._bundle(candidate))
                self._row(candidate, "canary", outcome, serves_incumbent=True)
        for candidate in (WRONG, INVERTED):
            if self._only in f"{candidate.name} shadow":
                await self._refused_in_shadow(candidate)
        if self._only in GOOD.name:
            await self._promoted()
        self._runs.close()

    async def _refused_in_shadow(self, candidate: Candidate) -> None:
        console.print(f"{candidate.name} in shadow: {candidate.fault}")
        bundle, report = self._bundle(candidate), daily_report(self._directory)
        outcome = await self._runs.in_shadow(candidate, bundle, report)
        self._row(candidate, "compare", outcome, ends_well=False)
        await self._runs.rollback()

    async def _promoted(self) -> None:
        console.print("good, all the way, and back")
        bundle, report = self._bundle(GOOD), daily_report(self._directory)
        compared = await self._runs.in_shadow(GOOD, bundle, report)
        self._row(GOOD, "compare", compared, ends_well=True)
        if compared.ended.code:
            return
        version = int(compared.ended.last.split("version ")[1].split()[0])
        self._row(GOOD, "canary", await self._runs.canary(version), ends_well=True)
        back = await self._runs.rollback()
        self._row(GOOD, "rollback", back, ends_well=True, serves_incumbent=True)

    def _bundle(self, candidate: Candidate) -> Path:
        return models.make(candidate, self._directory)

    def _row(
        self,
        candidate: Candidate,
        step: str,
        outcome: Outcome,
        *,
        ends_well: bool = False,
        serves_incumbent: bool = False,
    ) -> None:
        promised = (outcome.ended.code == 0) == ends_well and not outcome.failed
        promised &= not serves_incumbent or outcome.served == INCUMBENT
        self.wrong += not promised
        words = "; ".join(outcome.ended.refusals()) or outcome.ended.last
        self.table.add_row(
            candidate.name,
            step,
            words if promised else f"NOT AS PROMISED: {words}",
            outcome.served,
            f"{outcome.seconds:.0f}",
            str(len(outcome.answers)),
            f"{outcome.candidate.requests}",
            f"{outcome.degraded} ({outcome.degraded / max(len(outcome.answers), 1):.1%})",
            str(outcome.refused),
            str(outcome.failed),
            f"{outcome.p99_ms:.0f}",
        )


def daily_report(directory: Path) -> Path:
    """Write the report of a day that was well, as ``training.monitoring`` does."""
    report = directory / "monitoring"
    report.mkdir(exist_ok=True)
    (report / "findings.json").write_text("[]")
    (report / "monitoring.prom").write_text(f"monitoring_finished_seconds {time.time()}\n")
    return report


def say(line: str) -> None:
    """Tell a line of a step, whole."""
    console.print(line, soft_wrap=True, highlight=False)


def main() -> int:
    """Try everything; return 1 when something was not as promised."""
    options = _parser().parse_args()
    directory = Path(tempfile.mkdtemp(prefix="promotion-"))
    try:
        with Stack(directory, models.make(None, directory)) as stack:
            runs = Runs(stack, options.rate, options.bake_s, say)
            story = Story(runs, directory, options.only)
            asyncio.run(story.tell())
    except (ProcessError, RuntimeError) as error:
        console.print(f"promotion: {error}")
        return FAILED
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    console.print(story.table)
    if not story.table.row_count:
        console.print(f"nothing has {options.only!r} in its name")
        return FAILED
    return FAILED if story.wrong else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.promotion",
        description="Start Redis, the endpoint's stand-in and a gateway, promote good and bad "
        "models under load with the commands of deploy.promotion, and print what became of them "
        "and of the requests. Ends with 1 if something was not as promised.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--rate", type=float, default=30.0, help="requests a second")
    parser.add_argument("--bake-s", type=int, default=20, help="how long each share is watched")
    parser.add_argument("--only", default="", help="part of a name: 'slow canary', 'good'")
    return parser


if __name__ == "__main__":
    sys.exit(main())
