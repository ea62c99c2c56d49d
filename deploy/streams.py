"""The Kinesis streams, their loads at peak, and the shards that those need.

The names are the contract of ``flink_jobs.event_schemas``, repeated because nothing here imports
the product; a test holds the two lists equal.
"""

from dataclasses import dataclass
from math import ceil

SHARD_RECORDS_PER_S = 1000
SHARD_BYTES_PER_S = 1024 * 1024
"""What one shard takes: whichever of the two is reached first."""

TARGET_UTILISATION = 0.75
"""Keys hash unevenly, and a retry after a refusal comes on top of the load."""


@dataclass(frozen=True)
class Stream:
    """One stream.

    Attributes:
        name: As producers and consumers know it.
        peak_records_per_s: From the design's loads.
        record_bytes: A typical record with its key, an estimate from the event schemas.
        retention_hours: How long a consumer may stand still without losing a record.
        is_input: Whether the Flink application reads it.
    """

    name: str
    peak_records_per_s: float
    record_bytes: int
    retention_hours: int = 24
    is_input: bool = True

    @property
    def shards(self) -> int:
        """Shards that hold the peak at ``TARGET_UTILISATION``."""
        by_records = self.peak_records_per_s / SHARD_RECORDS_PER_S
        by_bytes = self.peak_records_per_s * self.record_bytes / SHARD_BYTES_PER_S
        return ceil(max(by_records, by_bytes) / TARGET_UTILISATION)


DEAD_LETTER = "dead-letter"
DECISIONS = "decisions"

STREAMS = (
    Stream("provider-gps", 5300, 160),
    Stream("provider-availability", 1500, 150),
    Stream("weather", 200, 180),
    Stream("traffic", 400, 110),
    Stream("dispatch-events", 100, 220),
    # A decision with 237 considered candidates has 16 KB; one in a hundred carries the features
    # of all of them too, which are 130 KB more.
    Stream(DECISIONS, 1200, 18 * 1024, is_input=False),
    # One record in a hundred broken is an incident already; kept for a week to be looked at.
    Stream(DEAD_LETTER, 75, 500, retention_hours=168, is_input=False),
)
