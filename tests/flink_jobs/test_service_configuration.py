"""The configuration that the jobs set in code, held against what the service lets them set.

The service refuses other changes by a check that Flink itself has: with
``execution.program-config.enabled`` off the client compares the job's configuration with its own
before it submits, and names every change. Each job here ends with that refusal: nothing runs.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from deploy.local.flink import Command, FlinkCluster
from flink_jobs.event_schemas import DEAD_LETTER
from flink_jobs.views import JOBS, inputs_of
from tests.conftest import free_port
from tests.flink_jobs.emulator import Emulator
from tests.support.service_configuration import MAY_BE_SET

pytestmark = [pytest.mark.flink, pytest.mark.integration]

REPOSITORY = Path(__file__).parents[2]
REFUSED = "Not allowed configuration change(s) were detected:\n"
# The time and the place of this planning, which Flink notes in every job.
FLINKS_NOTES = "__table.query-start."
REGION = "eu-north-1"
"""Of this test's streams: the emulator keeps the streams of each region apart."""


@pytest.fixture
def cluster(tmp_path: Path) -> FlinkCluster:
    """The configuration of a cluster that never starts."""
    refusing = {"execution.program-config.enabled": "false"}
    cluster = FlinkCluster(tmp_path / "flink", REPOSITORY, free_port(), free_port(), extra=refusing)
    cluster.write_config()
    return cluster


@pytest.fixture
def streams(emulator: Emulator) -> Iterator[dict[str, str]]:
    """The settings of streams that are there."""
    keys = {"access_key": "test", "secret_key": "test"}
    client = boto3.client(
        "kinesis", endpoint_url=emulator.url, region_name=REGION,
        aws_access_key_id="test", aws_secret_access_key="test",
    )  # fmt: skip
    for stream in (*inputs_of(JOBS), DEAD_LETTER):
        client.create_stream(StreamName=stream, ShardCount=1)
    yield {"endpoint_url": emulator.url, "region": REGION, **keys}
    client.close()


@pytest.mark.usefixtures("streams")
def test_the_live_job_sets_what_it_may(
    cluster: FlinkCluster, streams: dict[str, str], jar: Path, tmp_path: Path
) -> None:
    """The job of all views sets its time zone, and no option that the service refuses."""
    groups = {"streams": streams, "feature_store": {"redis_url": "redis://127.0.0.1:1/0"}}
    keys = _keys_set(cluster, "streaming", cluster.submit(jar, _write(groups, tmp_path)))
    assert "table.local-time-zone" in keys
    refused = keys - MAY_BE_SET
    assert not refused


def test_the_backfill_sets_what_it_may(cluster: FlinkCluster, jar: Path, tmp_path: Path) -> None:
    """The same of the job in batch over an archive."""
    for stream in inputs_of(JOBS):
        (tmp_path / "archive" / stream).mkdir(parents=True)
    groups = {
        "streams": {"kind": "archive", "archive_dir": str(tmp_path / "archive")},
        "feature_store": {"offline_dir": str(tmp_path / "offline")},
    }
    keys = _keys_set(cluster, "batch", cluster.submit(jar, _write(groups, tmp_path)))
    assert "table.local-time-zone" in keys
    refused = keys - MAY_BE_SET
    assert not refused


def _keys_set(cluster: FlinkCluster, mode: str, submit: Command) -> set[str]:
    """Return the options that an application sets, and a job that sets nothing does not change."""
    bare = cluster.run("--detached", "--python", str(Path(__file__).with_name("bare_job.py")), mode)
    changes = _changes(submit) - _changes(bare)
    return {key for key in map(_key, changes) if not key.startswith(FLINKS_NOTES)}


def _key(change: str) -> str:
    """Return what a change is of: an option, or the whole of it, which names a setter."""
    option = re.match(r"Configuration ([^:\s]+)", change)
    return option[1] if option else change


def _changes(submit: Command) -> set[str]:
    """Return what the client's refusal says, a line a change."""
    ended = subprocess.run(
        submit.argv,
        env=dict(submit.env),
        cwd=submit.cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    said = ended.stdout + ended.stderr
    assert REFUSED in said, said
    lines = said.split(REFUSED, 1)[1].splitlines()
    return {line.removeprefix(" - ") for line in lines if line.startswith(" - ")}


def _write(groups: dict[str, dict[str, str]], directory: Path) -> Path:
    path = directory / "properties.json"
    entries = [{"PropertyGroupId": name, "PropertyMap": keys} for name, keys in groups.items()]
    path.write_text(json.dumps(entries))
    return path
