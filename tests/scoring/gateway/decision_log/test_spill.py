import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scoring.gateway.decision_log import spill
from scoring.gateway.decision_log.metrics import DROPPED
from scoring.gateway.decision_log.record import Record
from scoring.gateway.decision_log.spill import Spill
from tests.scoring.gateway.decision_log.streams import record


def _take(store: Spill) -> list[Record] | None:
    with store.oldest() as segment:
        if segment is None:
            return None
        records = list(segment.records())
        segment.remove()
    return records


def test_what_was_put_on_disk_comes_back_as_it_was(tmp_path: Path) -> None:
    """A sealed segment gives its records in order; once removed there is nothing."""
    store = Spill(tmp_path)
    records = [record(0), record(1), Record("é", '{"request":{"event_id":"é"}}'.encode())]
    store.add(records)
    store.seal()
    assert _take(store) == records
    assert _take(store) is None


def test_a_segment_that_is_not_removed_is_found_again(tmp_path: Path) -> None:
    """What the stream did not take is sent again, by this process or the next."""
    store = Spill(tmp_path)
    store.add([record(0)])
    store.seal()
    with store.oldest() as segment:
        assert segment is not None
    assert _take(Spill(tmp_path)) == [record(0)]


def test_a_segment_that_is_written_or_sent_is_nobody_elses(tmp_path: Path) -> None:
    """Two processes on one directory do not send the same segment, nor one that grows."""
    first, second = Spill(tmp_path), Spill(tmp_path)
    first.add([record(0)])
    assert _take(second) is None
    first.seal()
    with first.oldest() as held:
        assert held is not None
        assert _take(second) is None
    assert _take(second) == [record(0)]


def test_segments_are_of_a_bounded_size_and_the_oldest_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What may come twice after a kill is one segment."""
    monkeypatch.setattr(spill, "SEGMENT_BYTES", 10_000)
    store = Spill(tmp_path)
    records = [record(number, padding_bytes=1000) for number in range(95)]
    for number, entry in enumerate(records):
        store.add([entry])
        for path in tmp_path.iterdir():  # one a second
            if path.stat().st_mtime > 1_000_000_000:
                os.utime(path, (number, number))
    store.seal()
    taken = []
    while segment := _take(store):
        assert len(segment) <= 10
        taken += segment
    assert taken == records


def test_the_disk_is_not_filled(tmp_path: Path) -> None:
    """Beyond its bound, over all processes, decisions are dropped and counted."""
    dropped = DROPPED.labels(reason="spill_full")
    before = dropped._value.get()
    stores = [Spill(tmp_path, at_most_bytes=10_000) for _ in range(2)]
    for store in stores:
        store.add([record(number, padding_bytes=1000) for number in range(8)])
        store.seal()
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 10_000
    assert dropped._value.get() - before == 16 - 9


def test_a_disk_that_does_not_take_is_counted(tmp_path: Path) -> None:
    """An error of the disk drops a decision and stops nothing."""
    store = Spill(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    dropped = DROPPED.labels(reason="spill_failed")
    before = dropped._value.get()
    store.add([record(0)])
    assert dropped._value.get() - before == 1


_WRITER = """
import sys, time
from pathlib import Path
from scoring.gateway.decision_log.spill import Spill
from tests.scoring.gateway.decision_log.streams import record
store = Spill(Path(sys.argv[1]))
for number in range(10**9):
    store.add([record(number, padding_bytes=2000)])
    if number == 100:
        print("writing", flush=True)
"""


def test_a_killed_writer_leaves_what_it_wrote_and_a_torn_line_at_most(tmp_path: Path) -> None:
    """After kill -9 another process finds every decision that was put on disk, in order."""
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(tmp_path)], stdout=subprocess.PIPE, cwd=Path.cwd()
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"writing\n"
    writer.send_signal(signal.SIGKILL)
    writer.wait(10)
    writer.stdout.close()
    store, taken = Spill(tmp_path), []
    while segment := _take(store):
        taken += segment
    assert len(taken) > 100
    assert sorted(int(entry.event_id[1:]) for entry in taken) == list(range(len(taken)))


def test_a_torn_line_is_counted_and_the_others_are_sent(tmp_path: Path) -> None:
    """The half of a decision that a kill left is no record."""
    store = Spill(tmp_path)
    store.add([record(0), record(1)])
    store.seal()
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-20])
    torn = DROPPED.labels(reason="torn_in_spill")
    before = torn._value.get()
    assert _take(store) == [record(0)]
    assert torn._value.get() - before == 1
