"""What a feature view costs to serve: memory in Redis, and what a request reads."""

from dataclasses import dataclass

from feature_repo.online.row_codec import row_dtype
from feature_repo.schema import STREAM_VIEWS, VIEWS

CANDIDATES = 225
"""Of a typical request: the design's 50 to 400."""
_KEYS_A_REQUEST = {"cell": 1, "provider_id": CANDIDATES}


@dataclass(frozen=True)
class ViewCost:
    """What one view costs.

    Attributes:
        view: Its name.
        row_bytes: A row as it lies in Redis, without Redis' own overhead.
        rows_read: Rows that a request of ``CANDIDATES`` candidates reads.
        streamed: Whether a Flink job must run for it all the time.
    """

    view: str
    row_bytes: int
    rows_read: int
    streamed: bool

    @property
    def kib_read(self) -> float:
        """KiB that a request reads."""
        return self.row_bytes * self.rows_read / 1024


def costs() -> dict[str, ViewCost]:
    """Return the cost of each view by its name."""
    return {
        name: ViewCost(
            name,
            row_dtype(schema).itemsize,
            _KEYS_A_REQUEST[schema.join_keys[0]],
            schema in STREAM_VIEWS,
        )
        for name, schema in VIEWS.items()
    }
