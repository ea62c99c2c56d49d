"""One record of the log, and batches of them as Kinesis takes them."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

BATCH_RECORDS = 200
BATCH_BYTES = 4_000_000
"""Kinesis takes 500 records and 5 MiB in one call; the rest is headroom."""
RECORD_BYTES = 1_000_000
"""Kinesis refuses a call with a longer record, all of it."""


class Record(NamedTuple):
    """A decision in its final form.

    Attributes:
        event_id: Partition key, and the key by which readers count a decision once.
        data: JSON in UTF-8, without line ends.
    """

    event_id: str
    data: bytes


def batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Yield the records in lists that one call takes, in their order."""
    batch: list[Record] = []
    size_bytes = 0
    for record in records:
        if batch and (len(batch) == BATCH_RECORDS or size_bytes + len(record.data) > BATCH_BYTES):
            yield batch
            batch, size_bytes = [], 0
        batch.append(record)
        size_bytes += len(record.data)
    if batch:
        yield batch
