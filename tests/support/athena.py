"""Athena's place taken by DuckDB: Feast's own Athena SQL, translated, over the same files."""

from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
import sqlglot
from sqlglot import exp

from feature_repo.schema import VIEWS

CATALOG, DATABASE = "AwsDataCatalog", "features"


class AthenaStandIn:
    """Answers what Feast's Athena store asks through its ``aws_utils``; no call leaves here.

    Attributes:
        queries: Every retrieval's SQL, as Athena would get it.
    """

    def __init__(self, offline: Path) -> None:
        self.queries: list[str] = []
        self._connection = duckdb.connect()
        self._connection.execute(
            f"SET TimeZone = 'UTC'; ATTACH ':memory:' AS {CATALOG}; "
            f"CREATE SCHEMA {CATALOG}.{DATABASE}"
        )
        for view in VIEWS:
            self._connection.execute(
                f"CREATE VIEW {CATALOG}.{DATABASE}.{view} AS SELECT * FROM read_parquet("  # noqa: S608
                f"'{offline}/{view}/**/*.parquet', hive_types = {{'date': VARCHAR}})"
            )

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Take the place of the calls to AWS until the patch is undone."""
        from feast.infra.utils import aws_utils  # noqa: PLC0415 - seconds to import

        patch.setattr(aws_utils, "get_athena_data_client", lambda region: None)  # noqa: ARG005
        patch.setattr(aws_utils, "get_s3_resource", lambda region: None)  # noqa: ARG005
        patch.setattr(aws_utils, "delete_s3_directory", lambda *_: None)
        patch.setattr(aws_utils, "upload_df_to_athena", self._upload)
        patch.setattr(aws_utils, "execute_athena_query", self._drop_table)
        patch.setattr(aws_utils, "unload_athena_query_to_pa", self._retrieve)

    def _upload(self, *arguments: Any) -> None:
        table, frame = arguments[-2:]
        assert isinstance(frame, pd.DataFrame)
        self._connection.register("uploaded", frame)
        self._connection.execute(f"CREATE TABLE {table} AS FROM uploaded")

    def _drop_table(self, *arguments: Any) -> str:
        statement = arguments[-1].replace(f"{DATABASE}.", "")
        assert statement.startswith("DROP TABLE IF EXISTS ")
        self._connection.execute(statement)
        return "done"

    def _retrieve(self, *arguments: Any) -> pa.Table:
        created = sqlglot.parse_one(arguments[-2], read="athena")
        query = created.find(exp.Select)
        assert query is not None
        self.queries.append(query.sql("athena"))
        return self._connection.sql(query.sql("duckdb")).to_arrow_table()
