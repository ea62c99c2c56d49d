"""From pages to a target."""

from collections.abc import Sequence

import pytest

from flink_jobs.dead_letters import DeadLetter, pack
from flink_jobs.redrive.drive import STEP_LETTERS, drive
from flink_jobs.redrive.reader import Page, Record
from flink_jobs.redrive.selection import Selection
from flink_jobs.redrive.tally import Tally
from flink_jobs.redrive.targets import Rehearsal
from tests.flink_jobs.letters import letter


class Log:
    """A target and a keeper of positions that write down, in order, what they are told."""

    name = "log"

    def __init__(self, fails_after: int | None = None) -> None:
        self.events: list[str] = []
        self._fails_after = fails_after

    def objection(self, letter: DeadLetter) -> str | None:
        """Object to old letters."""
        return "old" if letter.code == "too_old" else None

    def put(self, letters: Sequence[DeadLetter]) -> None:
        """Write down which, or fail."""
        if self._fails_after == len(self.events):
            raise OSError("full")
        self.events.append("put " + " ".join(letter.raw for letter in letters))

    def done(self, shard: str, sequence_number: str) -> None:
        """Write down the position."""
        self.events.append(f"done {shard} {sequence_number}")


def _page(*records: bytes, shard: str = "s") -> Page:
    return Page(shard, [Record(str(i), 0, data) for i, data in enumerate(records)], 0)


def _record(*raws: str, **more: str) -> bytes:
    return b"".join(pack(letter(raw, **more) for raw in raws))


def _run(log: Log, *pages: Page, selection: Selection | None = None) -> Tally:
    tally = Tally()
    for _ in drive(pages, selection or Selection(), log, tally, log.done):
        pass
    return tally


def test_letters_are_put_before_their_position_is_told() -> None:
    """Whole records are put, and only then counted as done."""
    log = Log()

    tally = _run(log, _page(_record("a", "b"), _record("c")), _page(_record("d"), shard="t"))

    assert log.events == ["put a b c", "done s 1", "put d", "done t 0"]
    assert (tally.read, dict(tally.driven), tally.is_complete) == (4, {"provider-gps": 4}, True)


def test_a_failure_leaves_the_position_before_the_letters() -> None:
    """What was not put is not told as done, so that the next run puts it."""
    big = _record(*("x" * STEP_LETTERS))
    log = Log(fails_after=2)

    with pytest.raises(OSError, match="full"):
        _run(log, _page(big, _record("b")))

    assert log.events[1:] == ["done s 0"]


def test_a_step_ends_with_a_record() -> None:
    """A long page is driven in steps of whole records, so that a crash repeats little."""
    half = _record(*("x" * (STEP_LETTERS // 2)))
    log = Log()

    _run(log, _page(half, half, half))

    assert [event for event in log.events if event.startswith("done")] == ["done s 1", "done s 2"]


def test_only_what_is_asked_for_and_can_go_is_put() -> None:
    """Others are passed over, and those that stay behind are counted by why."""
    log = Log()
    page = _page(_record("a", code="late"), _record("b", "c", code="too_old"), _record("d"))

    tally = _run(log, page, selection=Selection(codes=("too_old", "out_of_range")))

    assert log.events == ["put d", "done s 2"]
    assert dict(tally.left) == {"old": 2}
    assert tally.text("drove") == "read 4 dead letters\ndrove 1 of provider-gps\nleft 2: old"


def test_a_record_that_cannot_be_read_is_told_and_stops_nothing() -> None:
    """It is counted, with its place, and the letters around it are driven."""
    log = Log()

    tally = _run(log, _page(_record("a"), b"{}", _record("b"), b"{}"))

    assert log.events == ["put a b", "done s 3"]
    assert not tally.is_complete
    assert "left 2 unreadable records, first s, sequence number 1: line 1" in tally.text("drove")


def test_a_rehearsal_objects_but_puts_nothing() -> None:
    """A dry run counts what the real run would drive and leave."""
    log, tally = Log(), Tally()
    page = _page(_record("a"), _record("b", code="too_old"))

    for _ in drive([page], Selection(), Rehearsal(log), tally, lambda *_: None):
        pass

    assert log.events == []
    assert (dict(tally.driven), dict(tally.left)) == ({"provider-gps": 1}, {"old": 1})
