"""The decision as served, on its way to Kinesis: off the request's path, never blocking it."""

import logging
import queue
import threading
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from scoring.gateway.messages import Decision
from scoring.gateway.metrics import LOG_DROPPED, LOG_WRITTEN

logger = logging.getLogger(__name__)

QUEUE_DECISIONS = 2_000
BATCH_DECISIONS = 50
"""Well below Kinesis' 500 records and 5 MB a call: a decision is about 30 KB."""
FLUSH_S = 0.5
CLOSE_S = 5.0


class DecisionLog:
    """A bounded queue and one thread that empties it.

    A full queue drops the decision and counts it; records that Kinesis refuses are tried again
    once, then dropped and counted. A killed gateway loses what is queued: at most
    ``QUEUE_DECISIONS``, usually what came in the last ``FLUSH_S`` seconds.
    """

    def __init__(self, kinesis: Any, stream_name: str) -> None:
        self._kinesis = kinesis
        self._stream_name = stream_name
        self._queue: queue.Queue[Decision | None] = queue.Queue(QUEUE_DECISIONS)
        self._encoder = msgspec.json.Encoder()
        self._thread = threading.Thread(target=self._run, name="decision-log", daemon=True)
        self._thread.start()

    def log(self, decision: Decision) -> None:
        """Take a decision; returns at once."""
        try:
            self._queue.put_nowait(decision)
        except queue.Full:
            LOG_DROPPED.labels(reason="queue_full").inc()

    def close(self) -> None:
        """Write what is queued, waiting at most ``CLOSE_S`` seconds."""
        self._queue.put(None)
        self._thread.join(CLOSE_S)

    def _run(self) -> None:
        open_ = True
        while open_:
            batch, open_ = self._next_batch()
            if batch:
                self._write([self._record(decision) for decision in batch])

    def _next_batch(self) -> tuple[list[Decision], bool]:
        """Return the decisions at hand, waiting ``FLUSH_S`` at most, and whether more may come."""
        batch: list[Decision] = []
        while len(batch) < BATCH_DECISIONS:
            try:
                decision = self._queue.get(timeout=FLUSH_S)
            except queue.Empty:
                return batch, True
            if decision is None:
                return batch, False
            batch.append(decision)
        return batch, True

    def _record(self, decision: Decision) -> dict[str, Any]:
        return {
            "Data": self._encoder.encode(decision),
            "PartitionKey": decision.request.event_id,
        }

    def _write(self, records: list[dict[str, Any]]) -> None:
        for _ in range(2):
            try:
                answer = self._kinesis.put_records(StreamName=self._stream_name, Records=records)
            except (BotoCoreError, ClientError) as error:
                logger.warning("decision log: stream %s: %s", self._stream_name, error)
                continue
            refused = [
                record
                for record, result in zip(records, answer["Records"], strict=True)
                if result.get("ErrorCode")
            ]
            LOG_WRITTEN.inc(len(records) - len(refused))
            records = refused
            if not records:
                return
        LOG_DROPPED.labels(reason="stream_refused").inc(len(records))
        logger.warning("decision log: %d decisions dropped", len(records))
