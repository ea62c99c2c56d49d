"""The buffer between the requests and the stream, and the thread that empties it."""

import logging
import queue
import threading
from collections.abc import Callable, Iterator

from scoring.gateway.decision_log.metrics import BUFFERED, DROPPED, REPLAYED, WRITTEN
from scoring.gateway.decision_log.record import BATCH_RECORDS, RECORD_BYTES, Record, batches
from scoring.gateway.decision_log.spill import Spill
from scoring.gateway.decision_log.stream import DecisionStream

logger = logging.getLogger(__name__)

BUFFER_DECISIONS = 2_000
FLUSH_S = 0.25
CLOSE_S = 5.0

Encode = Callable[[], Record]
"""Makes a decision's record, in the thread of the log and not of the request."""


class DecisionLog:
    """Takes decisions from the requests' thread and sees them to the stream or to the disk.

    A killed gateway loses what is in memory: what came in the last ``FLUSH_S`` and while one call
    to the stream was under way, never more than ``BUFFER_DECISIONS`` and a batch.

    Args:
        stream: Where the decisions go.
        spill: Where they wait while the stream refuses; without it they are dropped, and counted.
    """

    def __init__(self, stream: DecisionStream, spill: Spill | None = None) -> None:
        self._stream = stream
        self._spill = spill
        self._buffer: queue.Queue[Encode] = queue.Queue(BUFFER_DECISIONS)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="decision-log", daemon=True)

    def start(self) -> None:
        """Begin to write; what was logged before is kept."""
        self._thread.start()

    def log(self, encode: Encode) -> None:
        """Take a decision; returns at once."""
        try:
            self._buffer.put_nowait(encode)
        except queue.Full:
            DROPPED.labels(reason="buffer_full").inc()

    def close(self) -> None:
        """Write what is in memory to the stream or the disk, waiting ``CLOSE_S`` at most."""
        self._closing.set()
        self._thread.join(CLOSE_S)

    def _run(self) -> None:
        while not (self._closing.is_set() and self._buffer.empty()):
            if self._buffer.qsize() < BATCH_RECORDS:
                self._closing.wait(FLUSH_S)
            for batch in batches(self._next_records()):
                self._write(batch)
            if self._spill is not None and self._has_time():
                self._replay(self._spill)
            BUFFERED.set(self._buffer.qsize())
        if self._spill is not None:
            self._spill.seal()

    def _has_time(self) -> bool:
        caught_up = self._buffer.qsize() < BATCH_RECORDS
        return caught_up and not self._stream.resting and not self._closing.is_set()

    def _next_records(self) -> Iterator[Record]:
        """Yield the records of what is in the buffer, a batch at most."""
        for _ in range(min(self._buffer.qsize(), BATCH_RECORDS)):
            encode = self._buffer.get_nowait()
            try:
                record = encode()
            except Exception:
                logger.exception("decision log: a decision cannot be encoded")
                DROPPED.labels(reason="not_encoded").inc()
                continue
            if len(record.data) > RECORD_BYTES:
                DROPPED.labels(reason="too_long").inc()
                continue
            yield record

    def _write(self, batch: list[Record]) -> None:
        # A stream that is slower than decisions come would fill the buffer; the disk is faster.
        behind = self._spill is not None and self._buffer.qsize() > BUFFER_DECISIONS // 2
        refused = batch if behind or self._stream.resting else self._stream.put(batch)
        WRITTEN.inc(len(batch) - len(refused))
        if not refused:
            return
        if self._spill is not None:
            self._spill.add(refused)
        else:
            DROPPED.labels(reason="stream_refused").inc(len(refused))

    def _replay(self, spill: Spill) -> None:
        """Send the oldest segment, all of it; what of it is refused stays on disk."""
        with spill.oldest() as segment:
            if segment is None:
                spill.seal()
                return
            for batch in batches(segment.records()):
                if self._stream.put(batch):
                    return
                REPLAYED.inc(len(batch))
            segment.remove()
