"""A row packed by itself is what the job's own writer makes."""

import numpy as np

from benchmarks.streaming.packing import RowPacker
from feature_repo.online.row_codec import encode_rows
from feature_repo.schema import PROVIDER_MOTION
from tests.support.rows import columns_of


def test_a_row_packed_by_itself_is_byte_for_byte_the_row_stores() -> None:
    """Numbers, text and nulls of one row are where the row store's reader looks for them."""
    given = {"lat": 39.5, "h3_cell": "872a1008bffffff", "ping_count": 8, "heading_deg": None}
    columns = columns_of(PROVIDER_MOTION, 1, given)
    [expected] = encode_rows(PROVIDER_MOTION, columns, np.array([5_000]), np.array([7_000]))
    values = {name: column[0] for name, column in columns.items()}
    assert RowPacker(PROVIDER_MOTION).pack(values, 5_000, 7_000) == expected
