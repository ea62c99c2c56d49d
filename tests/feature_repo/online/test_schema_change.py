"""A view changes while writers and readers of the old and of the new version run."""

import itertools
import threading
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import redis
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from feature_repo.model_matrix import full_name
from feature_repo.online.reader import FeatureReader, Lookup
from feature_repo.online.row_writer import RowWriter
from feature_repo.schema import CELL_DEMAND, Column, Kind, ViewSchema
from tests.support import rows

PROJECT = "test"
T0 = 1_700_000_000_000_000
NUMBERS = (Kind.FLOAT32, Kind.FLOAT64, Kind.INT32, Kind.INT64, Kind.TIMESTAMP)
CELLS = ("c1", "c2")
ROWS_MET = 100
WRITES = 10_000
"""Values tell so many writes apart; then they begin again."""


def _changed(schema: ViewSchema, columns: Sequence[Column]) -> ViewSchema:
    return replace(schema, columns=tuple(columns), observed_at=None)


VERSION = _changed(CELL_DEMAND, [Column(name, Kind.INT32, "") for name in ("a", "b", "c")])
COLUMN = st.builds(
    Column, st.sampled_from(["a", "b", "c", "d"]), st.sampled_from(NUMBERS), st.just("")
)
VERSIONS = st.lists(COLUMN, min_size=1, max_size=4, unique_by=lambda column: column.name).map(
    lambda columns: _changed(VERSION, columns)
)


def _value(version: int, place: int, write: float) -> float:
    """Return a number that no other version, feature or write has, and that every type holds."""
    return 1 + version * 1_000_000 + place * WRITES + write


def _write(writer: RowWriter, schema: ViewSchema, version: int, cell: str, write: int) -> None:
    values = {
        c.name: _value(version, place, write % WRITES) for place, c in enumerate(schema.columns)
    }
    rows.write(writer, schema, [cell], T0 + write, **values)


def _read(reader: FeatureReader, schema: ViewSchema) -> np.ndarray:
    """Return the numbers of both cells, [features, cells]."""
    found = reader.read([Lookup((schema,), [(cell,) for cell in CELLS])], T0)[schema.name]
    return np.array([found.columns[full_name(schema.name, name)] for name in schema.column_names])


@pytest.mark.integration
@settings(deadline=None, max_examples=150)
@given(
    versions=st.lists(VERSIONS, min_size=2, max_size=2),
    writes=st.lists(st.tuples(st.booleans(), st.sampled_from(CELLS)), min_size=1, max_size=6),
)
def test_a_reader_sees_its_own_version_or_nothing(
    redis_server: str, versions: list[ViewSchema], writes: list[tuple[bool, str]]
) -> None:
    """A reader of the newest row's version reads it whole; to one of the other it is mismatched."""
    assume(versions[0].fingerprint != versions[1].fingerprint)
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
        writer, reader = RowWriter(client, PROJECT), FeatureReader(client, PROJECT)
        newest = {}
        for number, (is_new, cell) in enumerate(writes):
            _write(writer, versions[is_new], int(is_new), cell, number)
            newest[cell] = (int(is_new), number)
        for version, schema in enumerate(versions):
            found = reader.read([Lookup((schema,), [(cell,) for cell in CELLS])], T0)[schema.name]
            numbers = _read(reader, schema)
            for place, cell in enumerate(CELLS):
                wrote, number = newest.get(cell, (None, 0))
                assert found.missing[place] == (wrote is None)
                assert found.mismatched[place] == (wrote not in {None, version})
                expected = [
                    _value(version, p, number) if wrote == version else np.nan
                    for p in range(len(schema.columns))
                ]
                np.testing.assert_array_equal(numbers[:, place], expected)


@pytest.mark.integration
@pytest.mark.parametrize(
    "columns",
    [
        (*VERSION.columns, Column("d", Kind.INT32, "")),
        VERSION.columns[1:],
        (Column("a", Kind.FLOAT32, ""), *VERSION.columns[1:]),
        VERSION.columns[::-1],
    ],
    ids=["added", "removed", "retyped", "reordered"],
)
def test_while_both_versions_run(redis_server: str, columns: tuple[Column, ...]) -> None:
    """Two writers replace each other's rows as two readers read: what is read is one write."""
    versions = [VERSION, _changed(VERSION, columns)]
    clock, done = itertools.count(), threading.Event()

    def keep_writing(version: int) -> None:
        with redis.Redis.from_url(redis_server) as client:
            writer = RowWriter(client, PROJECT)
            while not done.is_set():
                for cell in CELLS:
                    _write(writer, versions[version], version, cell, next(clock))

    writers = [threading.Thread(target=keep_writing, args=(v,)) for v in range(2)]
    for thread in writers:
        thread.start()
    try:
        with redis.Redis.from_url(redis_server) as client:
            client.flushall()
            reader = FeatureReader(client, PROJECT)
            for version, schema in enumerate(versions):
                _check_reads(reader, schema, version)
    finally:
        done.set()
        for thread in writers:
            thread.join()


def _check_reads(reader: FeatureReader, schema: ViewSchema, version: int) -> None:
    """Read until enough rows of the version, and of the other, were met."""
    of_version = of_other = 0
    while min(of_version, of_other) < ROWS_MET:
        for numbers in _read(reader, schema).T:
            if np.isnan(numbers).all():
                of_other += 1
                continue
            of_version += 1
            write = numbers[0] - _value(version, 0, 0)
            assert 0 <= write < WRITES
            expected = [_value(version, place, write) for place in range(len(numbers))]
            np.testing.assert_array_equal(numbers, expected)


@pytest.mark.parametrize(
    "kinds",
    [{before, after} for before, after in itertools.combinations(Kind, 2)],
    ids="-".join,
)
def test_every_change_of_a_type_shows(kinds: set[Kind]) -> None:
    """A feature of another type makes another version, also where both are stored alike."""
    before, after = (_changed(VERSION, [Column("a", kind, "")]).fingerprint for kind in kinds)
    assert before != after
