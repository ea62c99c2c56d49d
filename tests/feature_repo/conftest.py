"""A Feast repository over real parts: the project's own views, a registry, Parquet and Redis."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import redis

from feature_repo.schema import NUMPY_DTYPES, VIEWS, Kind, ViewSchema
from feature_repo.sources import FEATURE_DATA_DIR_VARIABLE

REPOSITORY = Path(__file__).parents[2] / "feature_repo"
ENTITIES = {"provider_id": ["p1", "p2", "p3"], "service": ["tow"] * 3, "cell": ["c1", "c2", "c3"]}
NOW = pd.Timestamp.now(tz="UTC").floor("s")


@dataclass(frozen=True)
class FeastRepository:
    """Where it is, and how to run Feast's command on it."""

    settings: Path
    data: Path
    redis_url: str
    run: Callable[..., str]


@pytest.fixture(scope="module")
def feast_repository(
    redis_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FeastRepository]:
    """The project's feature repository, applied with ``feast apply`` over rows of every view."""
    directory = tmp_path_factory.mktemp("feast")
    redis.Redis.from_url(redis_server).flushall()
    for view in VIEWS.values():
        _write_rows(view, directory / "offline")
    settings = directory / "feature_store.yaml"
    text = (REPOSITORY / "feature_store.yaml").read_text()
    text = text.replace("redis://127.0.0.1:16379/0", redis_server)
    settings.write_text(text.replace("../.run/registry.db", str(directory / "registry.db")))
    environment = {FEATURE_DATA_DIR_VARIABLE: str(directory / "offline")}

    def run(*arguments: str) -> str:
        feast = Path(sys.executable).with_name("feast")
        done = subprocess.run(
            [str(feast), "-f", str(settings), *arguments],
            cwd=REPOSITORY, capture_output=True, text=True, check=False,
            env={"PATH": "/usr/bin:/bin", "HOME": str(directory), **environment},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("apply")
    yield FeastRepository(settings, directory / "offline", redis_server, run)


def _write_rows(schema: ViewSchema, offline: Path) -> None:
    """Write one row for each entity, a minute old, with a null here and there."""
    generator = np.random.default_rng(schema.fingerprint % 2**32)
    rows: dict[str, object] = {key: ENTITIES[key] for key in schema.join_keys}
    observed = NOW - pd.Timedelta(seconds=60)
    moments = pd.Series([observed] * 3).astype("datetime64[us, UTC]")
    for column in schema.columns:
        if column.kind is Kind.TIMESTAMP:
            rows[column.name] = moments
        elif column.kind is Kind.STRING:
            rows[column.name] = ["available", None, "offline"]
        elif column.kind is Kind.BOOL:
            rows[column.name] = [True, False, True]
        else:
            values = generator.uniform(1, 50, 3).astype(NUMPY_DTYPES[column.kind])
            rows[column.name] = values
            if values.dtype.kind == "f":
                values[1] = np.nan
    rows["event_timestamp"] = moments
    rows["created_timestamp"] = moments
    directory = offline / schema.name / f"date={observed.date()}"
    directory.mkdir(parents=True)
    pd.DataFrame(rows).to_parquet(directory / "rows.parquet")
