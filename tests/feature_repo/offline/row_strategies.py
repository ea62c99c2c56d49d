"""Made-up rows and entity rows, whose times are equal, late or too old often enough."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from feature_repo.schema import CELL_CONDITIONS, PROVIDER_HISTORY, PROVIDER_MOTION, ViewSchema
from tests.support.offline_rows import table_of, write_days

START = pd.Timestamp("2026-01-05 23:00", tz="UTC")
"""An hour before midnight: rows and TTL cross the border of a partition."""
SCHEMAS = (PROVIDER_MOTION, CELL_CONDITIONS, PROVIDER_HISTORY)
KEYS = {"provider_id": ["p1", "p2"], "cell": ["c1", "c2"], "service": ["tow", "fuel"]}
STEPS = 9
"""Times fall on a grid this wide, so that equal ones are common."""


@dataclass(frozen=True)
class Rows:
    """A view's rows: which entity, and steps of the view's own grid for the two times."""

    entity: list[int]
    event: list[int]
    delay: list[int]

    def table(self, schema: ViewSchema) -> Any:
        """Return the rows of a view, numbered by their places."""
        step = grid(schema)
        event = [START + step * at for at in self.event]
        created = [
            START + step * (at + late) for at, late in zip(self.event, self.delay, strict=True)
        ]
        return table_of(schema, [entity_of(schema, i) for i in self.entity], event, created)

    def write(self, schema: ViewSchema, folder: Path) -> None:
        """Replace what a view's folder holds: a file of all rows, and one of half of them again.

        A row may well lie in two files: a backfill that ran twice writes it twice.
        """
        for path in folder.rglob("*.parquet"):
            path.unlink()
        table = self.table(schema)
        write_days(table, folder, "part-0.parquet")
        write_days(table.filter(np.arange(len(table)) % 2 == 0), folder, "part-1.parquet")


def grid(schema: ViewSchema) -> pd.Timedelta:
    """Return the step between times: a part of the TTL, so that some rows are too old."""
    return pd.Timedelta(seconds=schema.ttl_s / 6)


def entity_of(schema: ViewSchema, index: int) -> tuple[str, ...]:
    """Return one of a view's entities."""
    return tuple(KEYS[key][(index >> place) % 2] for place, key in enumerate(schema.join_keys))


def rows_of_a_view(schema: ViewSchema, *, distinct: bool) -> st.SearchStrategy[Rows]:
    """Make rows with equal times; of an entity, equal in both only where they may tie."""
    row = st.tuples(
        st.integers(0, 2), st.integers(0, STEPS), st.sampled_from([0, 0, 1, 2, 3, 5, -1])
    )
    # an entity has several indices where a view has one join key
    unique_by = (lambda row: (entity_of(schema, row[0]), *row[1:])) if distinct else None
    return st.lists(row, min_size=1, max_size=16, unique_by=unique_by).map(
        lambda rows: Rows(*(list(column) for column in zip(*rows, strict=True)))
    )


def all_views(*, distinct: bool) -> st.SearchStrategy[dict[str, Rows]]:
    """Make rows of every view."""
    made = {schema.name: rows_of_a_view(schema, distinct=distinct) for schema in SCHEMAS}
    return st.fixed_dictionaries(made)


@st.composite
def entity_rows(draw: st.DrawFn) -> pd.DataFrame:
    """Make entity rows at, and a moment beside, the times of rows; some of them twice."""
    count = draw(st.integers(1, 12))
    frame = pd.DataFrame({key: draw(_drawn([*values, *values, "nobody"], count))
                          for key, values in KEYS.items()})  # fmt: skip
    schema = draw(st.sampled_from(SCHEMAS))
    steps = draw(_drawn(range(STEPS + 7), count))
    beside_us = draw(_drawn([-1, 0, 1], count))
    frame["event_timestamp"] = [
        START + grid(schema) * step + pd.Timedelta(us, "us")
        for step, us in zip(steps, beside_us, strict=True)
    ]
    frame["asked"] = range(count)
    return frame


def _drawn(choices: Sequence[Any], count: int) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(choices), min_size=count, max_size=count)
