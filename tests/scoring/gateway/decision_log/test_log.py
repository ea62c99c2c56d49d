import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from scoring.gateway.decision_log import log as log_module
from scoring.gateway.decision_log.kinesis import Result
from scoring.gateway.decision_log.log import DecisionLog
from scoring.gateway.decision_log.metrics import DROPPED, REPLAYED, WRITTEN
from scoring.gateway.decision_log.record import RECORD_BYTES, Record
from scoring.gateway.decision_log.spill import Spill
from scoring.gateway.decision_log.stream import DecisionStream
from tests.scoring.gateway.decision_log.streams import Stream, record

PATIENCE_S = 20.0


def _log(kinesis: Stream, spill: Path | None = None) -> DecisionLog:
    log = DecisionLog(DecisionStream(kinesis), None if spill is None else Spill(spill))
    log.start()
    return log


def _put(log: DecisionLog, numbers: range) -> None:
    for number in numbers:
        log.log(lambda number=number: record(number))  # type: ignore[misc]


def _ids(numbers: range) -> list[str]:
    return [f"e{number}" for number in numbers]


def _wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _lines(directory: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in directory.iterdir())


def _dropped(reason: str) -> float:
    value: float = DROPPED.labels(reason=reason)._value.get()
    return value


def test_decisions_come_to_the_stream_in_batches() -> None:
    """Every decision arrives, in order, many in a call, keyed by its event."""
    kinesis, before = Stream(), WRITTEN._value.get()
    log = _log(kinesis)
    _put(log, range(450))
    log.close()
    assert kinesis.event_ids == _ids(range(450))
    assert len(kinesis.calls) <= 6
    assert WRITTEN._value.get() - before == 450


def test_a_decision_is_made_a_record_off_the_requests_thread() -> None:
    """The request pays for putting a function into a buffer, not for JSON."""
    threads = []

    def encode() -> Record:
        threads.append(threading.current_thread().name)
        return record(0)

    log = _log(Stream())
    log.log(encode)
    log.close()
    assert threads == ["decision-log"]


def test_a_stream_that_is_away_loses_nothing_when_it_comes_back(tmp_path: Path) -> None:
    """Decisions wait on disk and are sent when the stream takes them; the disk is empty then."""
    kinesis, before = Stream(away=True), REPLAYED._value.get()
    log = _log(kinesis, tmp_path)
    _put(log, range(300))
    _wait_until(lambda: _lines(tmp_path) == 300)
    kinesis.away = False
    _wait_until(lambda: len(kinesis.records) >= 300)
    log.close()
    assert sorted(kinesis.event_ids) == sorted(_ids(range(300)))
    assert list(tmp_path.iterdir()) == []
    assert REPLAYED._value.get() - before == 300


def test_a_restarted_gateway_sends_what_the_last_one_left(tmp_path: Path) -> None:
    """The stream is away until the end of one gateway; the next one sends its decisions."""
    gone = _log(Stream(away=True), tmp_path)
    _put(gone, range(20))
    gone.close()
    kinesis = Stream()
    log = _log(kinesis, tmp_path)
    _wait_until(lambda: len(kinesis.records) >= 20)
    log.close()
    assert kinesis.event_ids == _ids(range(20))


def test_what_is_throttled_waits_on_disk_alone(tmp_path: Path) -> None:
    """Of a batch that is taken in part, the rest comes later, and nothing twice."""
    kinesis = Stream(refuses={"e3"})
    log = _log(kinesis, tmp_path)
    _put(log, range(5))
    _wait_until(lambda: len(kinesis.records) == 4)
    kinesis.refuses.clear()
    _wait_until(lambda: len(kinesis.records) == 5)
    log.close()
    assert kinesis.event_ids == ["e0", "e1", "e2", "e4", "e3"]


def test_without_a_disk_what_is_refused_is_counted() -> None:
    """A gateway that was given no folder drops what the stream refuses, and says so."""
    before = _dropped("stream_refused")
    log = _log(Stream(away=True))
    _put(log, range(7))
    log.close()
    assert _dropped("stream_refused") - before == 7


def test_a_full_buffer_refuses_at_once_and_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request never waits for the log, whatever the log waits for."""
    monkeypatch.setattr(log_module, "BUFFER_DECISIONS", 10)
    release = threading.Event()
    before = _dropped("buffer_full")

    def slow() -> Record:
        release.wait(PATIENCE_S)
        return record(0)

    log = _log(Stream())
    log.log(slow)
    _wait_until(lambda: log._buffer.qsize() == 0)  # it is being encoded
    began = time.monotonic()
    _put(log, range(30))
    assert time.monotonic() - began < 1
    release.set()
    log.close()
    assert _dropped("buffer_full") - before == 20


def test_a_stream_slower_than_decisions_come_fills_the_disk_and_not_the_buffer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With more than half of the buffer in use, decisions go to disk without asking the stream."""
    monkeypatch.setattr(log_module, "BUFFER_DECISIONS", 1000)
    before = _dropped("buffer_full")

    class Slow(Stream):
        def put(self, records: Sequence[Record]) -> list[Result]:
            time.sleep(0.1)
            return super().put(records)

    kinesis = Slow()
    log = _log(kinesis, tmp_path)
    for start in range(0, 3000, 60):
        _put(log, range(start, start + 60))
        time.sleep(0.02)
    _wait_until(lambda: len(set(kinesis.event_ids)) == 3000)
    log.close()
    assert _dropped("buffer_full") == before


def test_a_decision_that_cannot_be_a_record_stops_nothing() -> None:
    """One that fails or is longer than Kinesis takes is dropped and counted; the next arrives."""
    before = [_dropped("not_encoded"), _dropped("too_long")]

    def broken() -> Record:
        raise ValueError

    kinesis = Stream()
    log = _log(kinesis)
    log.log(broken)
    log.log(lambda: record(1, padding_bytes=RECORD_BYTES))
    _put(log, range(2, 3))
    log.close()
    assert kinesis.event_ids == ["e2"]
    assert [_dropped("not_encoded"), _dropped("too_long")] == [count + 1 for count in before]
