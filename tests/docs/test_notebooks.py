"""The worked example runs, from the first cell to the last, on a small archive."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from simulator import history
from simulator.history import Span
from simulator.reports import Intervals
from simulator.world import WorldSettings
from tests.training.offline_rows import write_stream_views

REPOSITORY = Path(__file__).parents[2]
NOTEBOOKS = sorted((REPOSITORY / "docs" / "notebooks").glob("*.ipynb"))
_START_S = 1_767_625_200.0
"""2026-01-05 15:00 UTC: morning in Denver."""
_OPEN_S, _TAIL_S = 1.5 * 3600, 6.5 * 3600

pytestmark = [
    pytest.mark.integration,  # a notebook's kernel is a server of its own
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """An archive with offline rows, registered in Feast, and the variables that tell of it."""
    directory = tmp_path_factory.mktemp("notebooks")
    settings = WorldSettings(
        providers=100, seed=5, requests_per_hour=240, intervals=Intervals(60.0, 90.0, 120.0)
    )
    close_s = _START_S + _OPEN_S
    history.write(settings, Span(_START_S, close_s, close_s + _TAIL_S), directory / "data")
    write_stream_views(directory / "data")
    text = (REPOSITORY / "feature_repo" / "feature_store.yaml").read_text()
    registered = directory / "feature_store.yaml"
    registered.write_text(text.replace("../.run/registry.db", str(directory / "registry.db")))
    told = {
        "ROADSIDE_DATA": str(directory / "data"),
        "FEATURE_DATA_DIR": str(directory / "data" / "offline"),
        "FEAST_FS_YAML_FILE_PATH": str(registered),
        "IPYTHONDIR": str(directory / "ipython"),
        "MPLCONFIGDIR": str(directory / "matplotlib"),
    }
    subprocess.run(
        [Path(sys.executable).with_name("feast"), "apply"],
        cwd=REPOSITORY / "feature_repo", env={**os.environ, **told}, check=True,
        capture_output=True,
    )  # fmt: skip
    yield told


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, environment: dict[str, str]) -> None:
    """Every cell runs without an error or a word on stderr, and draws what the page shows."""
    notebook = nbformat.read(path, as_version=4)
    shown = [_kinds(cell) for cell in notebook.cells]
    client = NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": path.parent}}
    )
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        client.execute()
    assert [_kinds(cell) for cell in notebook.cells] == shown


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_with_its_outputs(path: Path) -> None:
    """A reader sees the results without running it, and no path of the machine that made them."""
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert "image/png" in {kind for cell in code for kind in _kinds(cell)}
    assert str(REPOSITORY) not in path.read_text()


def _kinds(cell: nbformat.NotebookNode) -> list[str]:
    """Return what a cell's outputs are: streams by their names, data by their richest form.

    A kernel flushes as time passes, so one stream may come in several pieces: they are one.
    """
    kinds = [_kind(output) for output in cell.get("outputs", [])]
    following = [*kinds[1:], None]
    streams = {"stdout", "stderr"}
    return [
        kind
        for kind, next_kind in zip(kinds, following, strict=False)
        if kind != next_kind or kind not in streams
    ]


def _kind(output: nbformat.NotebookNode) -> str:
    if output.output_type == "stream":
        return str(output.name)
    return next(k for k in ("image/png", "text/html", "text/plain") if k in output.data)
