import json
import warnings
from pathlib import Path

import pytest
import redis

from tests.conftest import ports_in_a_row

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from benchmarks.gateway.__main__ import main

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


def test_rate_measures_every_process_and_leaves_nothing_running(tmp_path: Path) -> None:
    """A small world is asked for two seconds: no errors, and the processor time of each part."""
    port, told = ports_in_a_row(6), tmp_path / "found.json"
    small = ["--providers", "3000", "--rate", "10", "--seconds", "2", "--warm-up", "2"]
    where = ["--port", str(port), "--run-dir", str(tmp_path), "--json", str(told)]
    assert main(["rate", *small, *where]) == 0
    found = json.loads(told.read_bytes())
    (load,) = found["load"]
    assert load["errors"] == 0
    cpu = {line["process"]: line["CPU ms a decision"] for line in found["processes"]}
    assert all(cpu[part] > 0 for part in ("gateway", "endpoint", "load generator"))
    stages = {line["stage"] for line in found["stages by processor time"]}
    assert {"retrieve", "read", "score", "policy", "explain"} <= stages
    with pytest.raises(redis.ConnectionError):
        redis.Redis(port=port).ping()
