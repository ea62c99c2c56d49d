import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_repo.online.row_codec import RowError, decode_rows, encode_rows, null_mask
from feature_repo.schema import CELL_DEMAND, PROVIDER_MOTION, VIEWS, Kind, ViewSchema
from tests.support.rows import columns_of

TIMES = np.array([1_700_000_000_000_000], dtype=np.int64)

_VALUES = {
    Kind.FLOAT32: st.floats(width=32, allow_nan=False),
    Kind.FLOAT64: st.floats(allow_nan=False),
    Kind.INT32: st.integers(-(2**31), 2**31 - 1),
    Kind.BOOL: st.booleans(),
    Kind.STRING: st.text("abcdef0123456789_", max_size=16),
    Kind.TIMESTAMP: st.integers(0, 2**52),
}


def _row(schema: ViewSchema, **given: object) -> bytes:
    return encode_rows(schema, columns_of(schema, 1, given), TIMES, TIMES)[0]


@given(data=st.data(), view=st.sampled_from(sorted(VIEWS)))
def test_any_row_decodes_to_what_was_encoded(data: st.DataObject, view: str) -> None:
    """Every value and every null of every view comes back as it went in."""
    schema = VIEWS[view]
    written = {c.name: data.draw(st.none() | _VALUES[c.kind], c.name) for c in schema.columns}
    columns = {name: [value] for name, value in written.items()}
    rows, usable, _ = decode_rows(schema, encode_rows(schema, columns, TIMES, TIMES))
    assert usable.all()
    for column in schema.columns:
        if column.name == schema.observed_at:
            assert rows["values"][column.name][0] == TIMES[0]
        elif written[column.name] is None:
            assert null_mask(schema, rows, column.name)[0]
        else:
            value = rows["values"][column.name][0]
            assert (value.decode() if column.kind is Kind.STRING else value) == written[column.name]


def test_a_row_of_another_schema_is_mismatched_not_read() -> None:
    """A row whose fingerprint is another view's is never interpreted."""
    other = _row(CELL_DEMAND)
    padded = other.ljust(len(_row(PROVIDER_MOTION)), b"\0")
    rows, usable, mismatched = decode_rows(PROVIDER_MOTION, [other, padded, None])
    assert not usable.any()
    assert rows.tobytes() == bytes(rows.nbytes)
    assert mismatched.tolist() == [True, True, False]


def test_a_renamed_or_retyped_column_changes_the_fingerprint() -> None:
    """Any change of a name, a type or the order makes another fingerprint."""
    columns = CELL_DEMAND.columns
    reordered = ViewSchema("cell_demand", ("cell",), (*columns[1:], columns[0]), None, 1.0)
    assert reordered.fingerprint != CELL_DEMAND.fingerprint


@pytest.mark.parametrize(
    ("given_value", "told"),
    [
        ({"ping_count": 1.5}, "ping_count"),
        ({"ping_count": 2**40}, "ping_count"),
        ({"lat": "north"}, "lat"),
        ({"h3_cell": "x" * 17}, "h3_cell"),
        ({"h3_cell": "ends in nul\0"}, "h3_cell"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_name(
    given_value: dict[str, object], told: str
) -> None:
    """A value that the type cannot hold raises, naming view and feature, and is never altered."""
    with pytest.raises(RowError, match=f"provider_motion.*{told}"):
        _row(PROVIDER_MOTION, **given_value)


def test_a_missing_column_is_refused_by_name() -> None:
    """A row without one of its features is not written."""
    columns = columns_of(PROVIDER_MOTION, 1, {})
    del columns["speed_max_kph"]
    with pytest.raises(RowError, match="speed_max_kph"):
        encode_rows(PROVIDER_MOTION, columns, TIMES, TIMES)
