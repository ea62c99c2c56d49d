import json
import warnings
from pathlib import Path

import pytest
import redis

from tests.conftest import ports_in_a_row

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from benchmarks.feature_store.__main__ import main

pytestmark = [
    pytest.mark.integration,
    # Feast, ibis and DuckDB warn of one another's deprecations.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


def _run(directory: Path, *arguments: str) -> tuple[int, dict[str, list[dict[str, object]]]]:
    """Run the command; return its port and what it found."""
    port, told = ports_in_a_row(2), directory / "found.json"
    common = ["--port", str(port), "--json", str(told), "--run-dir", str(directory)]
    assert main([*arguments, *common]) == 0
    with pytest.raises(redis.ConnectionError):
        redis.Redis(port=port).ping()
    return port, json.loads(told.read_bytes())


def test_compare_measures_everyone_and_leaves_nothing_running(tmp_path: Path) -> None:
    """Each contestant is in each table, and each layout's memory; the servers are gone."""
    sizes = ["--providers", "60", "--entities", "5", "50", "--turns", "2", "--batch", "20"]
    _, found = _run(tmp_path, "compare", *sizes)
    assert [(line["entities"], line["way"]) for line in found["reads"]] == [
        (entities, way)
        for entities in (5, 50)
        for way in ("SDK, Feast's own layout", "SDK, rows", "reader")
    ]
    assert len(found["writes"]) == 6
    assert [line["layout"] for line in found["memory"]] == ["Feast's own", "rows"]
    assert all(line["Redis CPU ms"] > 0 and line["got KB"] > 0 for line in found["reads"])  # type: ignore[operator]


@pytest.mark.parametrize("who", ["reader", "sdk"])
def test_soak_tells_what_grows(tmp_path: Path, who: str) -> None:
    """Memory, wall and processor time have a first, a last and a slope."""
    sizes = ["--providers", "20", "--entities", "2", "--reads", "60"]
    _, found = _run(tmp_path, "soak", "--of", who, *sizes)
    assert [line["what"] for line in found["soak"]] == [
        "resident MB", "read, wall us", "read, CPU us",
    ]  # fmt: skip
