"""What the local stack publishes from passes the gate of the offline rows."""

import os
import subprocess
from pathlib import Path

from deploy.local.layout import REPOSITORY, Layout
from deploy.local.ports import Ports
from deploy.local.programs import Programs, World
from deploy.local.stack import BATCH_VIEWS, STREAM_VIEWS
from feature_repo import schema


def test_every_view_passes_a_gate() -> None:
    """The batch views before they are materialised, the stream views after the backfill."""
    batch = {view.name for view in schema.BATCH_VIEWS}
    assert set(BATCH_VIEWS) == batch
    assert {*BATCH_VIEWS, *STREAM_VIEWS} == set(schema.VIEWS)


def test_the_gate_fails_where_rows_are_missing(tmp_path: Path) -> None:
    """The stack's own command ends with a code, by which the supervisor ends the stack."""
    programs = Programs(Layout(tmp_path), Ports(), World())
    done = subprocess.run(
        programs.check_offline(BATCH_VIEWS), env={**os.environ, **programs.environment},
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert f"{programs.layout.offline / BATCH_VIEWS[0]} has no Parquet file" in done.stderr
