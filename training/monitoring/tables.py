"""Rows of a table, for code that reads them by name."""

from collections.abc import Iterator
from typing import Any

import pandas as pd


def tuples(table: pd.DataFrame) -> Iterator[Any]:
    """Yield the rows as named tuples; ``Index`` is the row's label."""
    yield from table.itertuples()
