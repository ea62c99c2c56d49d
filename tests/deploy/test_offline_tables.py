import json
from pathlib import Path

import pytest

pytest.importorskip("feast", reason="the product's environment has the schema's types of Athena")

from feature_repo.offline.athena_tables import ATHENA_TYPES
from feature_repo.schema import VIEWS
from feature_repo.sources import DAY_COLUMN

TABLES = Path(__file__).parents[2] / "deploy" / "offline_tables.json"


def test_the_deployed_tables_are_the_schema() -> None:
    """The tables that are deployed have the columns and types of the views, in their order.

    The statements that ``feature_repo.offline.athena_tables`` prints have the same.
    """
    expected = {
        view.name: [
            *((key, "string") for key in view.join_keys),
            *((column.name, ATHENA_TYPES[column.kind]) for column in view.columns),
            ("event_timestamp", "timestamp"),
            ("created_timestamp", "timestamp"),
        ]
        for view in VIEWS.values()
    }
    found = json.loads(TABLES.read_text())
    assert {view: list(columns.items()) for view, columns in found.items()} == expected
    assert DAY_COLUMN == "date", "deploy/stacks/offline_store.py repeats it"
