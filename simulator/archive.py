"""One metro's decisions, outcomes and truth, written while the world goes on.

A decision is written when nothing more can become of it, some hours after its request; until then
it is in memory, and nothing is longer.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from simulator.archive_tables import decision_table, outcome_table, outcomes_of, truth_table
from simulator.daily_files import DailyFiles
from simulator.journal import Decision

_DECISIONS_A_PIECE = 4000
_LATEST_CLOSE_S = 86_400.0
"""After a day nothing is open any more: the files of the day before can be closed."""


class Archive:
    """Takes the decisions of one metro's world and writes them by day."""

    def __init__(self, directory: Path, metro: str, end_s: float) -> None:
        """Open an archive.

        Args:
            directory: Where ``decisions``, ``outcomes`` and ``truth`` go.
            metro: The name of its files.
            end_s: Nothing later is known (epoch seconds): corrections after it are left out.
        """
        self.decisions = self.offers = self.candidates = 0
        self._end_s = end_s
        self._open: dict[str, Decision] = {}
        self._closed: list[Decision] = []
        self._files = ExitStack()
        self._tables = {
            name: self._files.enter_context(DailyFiles(directory / name, metro))
            for name in ("decisions", "outcomes", "truth")
        }

    def opened(self, decision: Decision) -> None:
        """Keep a decision until it is closed."""
        self._open[decision.request.event_id] = decision

    def closed(self, decision: Decision) -> None:
        """Take a decision of which nothing more can become."""
        self._closed.append(self._open.pop(decision.request.event_id))
        if len(self._closed) >= _DECISIONS_A_PIECE:
            self._write_closed()

    def __enter__(self) -> "Archive":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:  # what is still open is written as far as it went
            self._closed += self._open.values()
            self._write_closed()
        self._files.close()

    def _write_closed(self) -> None:
        if not self._closed:
            return
        decisions = sorted(self._closed, key=lambda decision: decision.request.number)
        self._closed = []
        self._count(decisions)
        rows, request_us = decision_table(decisions)
        self._tables["decisions"].write(rows, request_us)
        self._tables["truth"].write(truth_table(decisions), request_us)
        known = [o for o in outcomes_of(decisions) if o.recorded_s <= self._end_s]
        if known:
            self._tables["outcomes"].write(*outcome_table(known))
        oldest_us = int(1e6 * (decisions[-1].request.time_s - _LATEST_CLOSE_S))
        for table in self._tables.values():
            table.finish_before(oldest_us)

    def _count(self, decisions: Sequence[Decision]) -> None:
        self.decisions += len(decisions)
        self.offers += sum(decision.offers_made for decision in decisions)
        self.candidates += sum(len(decision.offer_rank) for decision in decisions)
