"""The AWS twin: the same views over Athena's tables. No query runs on AWS in any test."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlglot
import yaml
from hypothesis import given, settings
from sqlglot import exp

from feature_repo import store_settings
from feature_repo.offline import athena_tables
from feature_repo.schema import PROVIDER_MOTION, VIEWS
from tests.feature_repo.conftest import REPOSITORY
from tests.feature_repo.offline.row_strategies import SCHEMAS, START, Rows, all_views, entity_rows
from tests.support.athena import DATABASE, AthenaStandIn
from tests.support.offline_rows import AS_OF_JOIN, open_store, references

AWS_SETTINGS = REPOSITORY / "feature_store.aws.yaml"

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The variables that the AWS settings name, with a registry here."""
    directory = tmp_path_factory.mktemp("aws")
    return {
        "FEATURE_REGISTRY": str(directory / "registry.db"),
        "FEATURE_REDIS_URL": "rediss://redis.internal:6379/0",
        "FEATURE_DATABASE": DATABASE,
        "FEATURE_WORKGROUP": "analysts",
        "FEATURE_STAGING": "s3://bucket/athena",
        "AWS_REGION": "eu-west-1",
    }


@pytest.fixture(scope="module")
def aws_store(environment: dict[str, str]) -> Iterator[Any]:
    """Feast's SDK on the AWS settings, after ``feast -f feature_store.aws.yaml apply``."""
    feast = Path(sys.executable).with_name("feast")
    done = subprocess.run(
        [feast, "-f", AWS_SETTINGS.name, "apply", "--skip-source-validation"],
        cwd=REPOSITORY, env={**os.environ, **environment}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        from feast import FeatureStore  # noqa: PLC0415 - seconds to import

        yield FeatureStore(fs_yaml_file=AWS_SETTINGS)


def test_both_settings_files_differ_only_in_where_things_are(environment: dict[str, str]) -> None:
    """Project, online store and key format are the same here and on AWS."""
    local = yaml.safe_load((REPOSITORY / "feature_store.yaml").read_text())
    aws = yaml.safe_load(AWS_SETTINGS.read_text())
    for same in ("project", "entity_key_serialization_version"):
        assert aws[same] == local[same]
    assert aws["online_store"]["type"] == local["online_store"]["type"]
    named = set(re.findall(r"\$\{(\w+)\}", AWS_SETTINGS.read_text()))
    assert named == set(environment)


def test_a_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Feast would take ``${FEATURE_DATABASE}`` for a name; the repository refuses it."""
    monkeypatch.setenv("FEAST_FS_YAML_FILE_PATH", str(AWS_SETTINGS))
    monkeypatch.delenv("FEATURE_DATABASE", raising=False)
    with pytest.raises(store_settings.SettingsError, match=r"variables .*FEATURE_DATABASE"):
        store_settings.offline_store()


def test_every_view_reads_its_table_by_day(aws_store: Any) -> None:
    """The sources come from the same schema, and keep their partition through the registry."""
    for schema in VIEWS.values():
        source = aws_store.get_feature_view(schema.name).batch_source
        assert f'"{DATABASE}"."{schema.name}"' in source.query
        assert source.date_partition_column == "date"
        assert source.timestamp_field == "event_timestamp"
        assert source.created_timestamp_column == "created_timestamp"


@dataclass(frozen=True)
class BothStores:
    """The same rows by the local store and by Athena's SQL."""

    folder: Path
    local: Any
    aws: Any
    stand_in: AthenaStandIn


@pytest.fixture(scope="module")
def both(aws_store: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BothStores]:
    """Rows of every view, the local store over them, and DuckDB in Athena's place."""
    directory = tmp_path_factory.mktemp("both")
    for schema in VIEWS.values():
        Rows(entity=[0], event=[0], delay=[0]).write(schema, directory / "rows" / schema.name)
    local = open_store(directory / "local", directory / "rows", AS_OF_JOIN)
    stand_in = AthenaStandIn(directory / "rows")
    with pytest.MonkeyPatch.context() as patch:
        stand_in.install(patch)
        yield BothStores(directory / "rows", local, aws_store, stand_in)


@settings(max_examples=15, deadline=None)
@given(rows=all_views(distinct=True), entities=entity_rows())
def test_athenas_sql_finds_what_the_local_store_finds(
    both: BothStores, rows: dict[str, Rows], entities: pd.DataFrame
) -> None:
    """Feast's SQL for Athena, translated to DuckDB, gives the local store's values."""
    for schema in SCHEMAS:
        rows[schema.name].write(schema, both.folder / schema.name)
    found, expected = _retrieve(both.aws, entities), _retrieve(both.local, entities)
    pd.testing.assert_frame_equal(found[expected.columns], expected, check_dtype=False)


def test_athenas_scans_are_bounded_by_day(both: BothStores) -> None:
    """Every table is read from the first to the last day that a row may come from, no more."""
    entities = pd.DataFrame({"provider_id": ["p1"], "cell": ["c1"], "service": ["tow"]})
    _retrieve(both.aws, entities.assign(event_timestamp=START, asked=0))
    tree = sqlglot.parse_one(both.stand_in.queries[-1], read="athena")
    tables = [table for table in tree.find_all(exp.Table) if table.db == DATABASE]
    assert len(tables) == len(SCHEMAS)
    for table in tables:
        distinct = table.find_ancestor(exp.Select)
        assert distinct is not None
        scan = distinct.find_ancestor(exp.Select)
        assert scan is not None
        bounds = [c for c in scan.find_all(exp.GTE, exp.LTE) if c.this.name == "date"]
        assert {(type(bound), bound.expression.name) for bound in bounds} == {
            (exp.LTE, "2026-01-05"),
            (exp.GTE, str((START - pd.Timedelta(seconds=VIEWS[table.name].ttl_s)).date())),
        }


def _retrieve(store: Any, entities: pd.DataFrame) -> pd.DataFrame:
    job = store.get_historical_features(
        entities.copy(),
        references(SCHEMAS),
        full_feature_names=True,
        filter_by_created_timestamp=True,
    )
    frame: pd.DataFrame = job.to_df().sort_values("asked", ignore_index=True)
    return frame


def test_a_table_has_the_views_columns() -> None:
    """The table's definition names every column with Athena's type, and projects the days."""
    statement = athena_tables.create_table(
        PROVIDER_MOTION, DATABASE, "s3://bucket/offline/", date(2026, 1, 1)
    )
    tree = sqlglot.parse_one(statement.rstrip(";"), read="hive")
    columns = [column.name for column in tree.this.expressions if isinstance(column, exp.ColumnDef)]
    stored = ["provider_id", *PROVIDER_MOTION.column_names, "event_timestamp", "created_timestamp"]
    assert columns[: len(stored)] == stored
    assert "LOCATION 's3://bucket/offline/provider_motion/'" in statement
    assert "'projection.date.range' = '2026-01-01,NOW'" in statement
    assert "s3://bucket/offline/provider_motion/date=${date}" in statement


def test_the_statements_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints one statement a view."""
    arguments = ["--database", DATABASE, "--location", "s3://b/o", "--first-day", "2026-01-01"]
    assert athena_tables.main(arguments) == 0
    assert capsys.readouterr().out.count("CREATE EXTERNAL TABLE") == len(VIEWS)
