import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]
SCRIPTS = ROOT / "scoring/endpoint/container"


def _environment(**variables: str) -> dict[str, str]:
    """Return an environment in which `python` is this one, as it is in the container."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PROGRAM_DIR": str(ROOT), **variables}


def test_serve_runs_without_docker(bundle_directory: Path) -> None:
    """The script that SageMaker calls serves a bundle, and SIGTERM reaches the server."""
    environment = _environment(
        SM_MODEL_DIR=str(bundle_directory),
        SERVE_HOST="127.0.0.1",
        SERVE_PORT="0",
        SERVE_WORKERS="1",
    )
    with subprocess.Popen(
        [str(SCRIPTS / "serve")], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            address = re.search(r"http://\S+", process.stdout.readline())
            assert address, "the process ended without an address"
            with urllib.request.urlopen(f"{address[0]}/ping", timeout=30) as answer:  # noqa: S310
                assert answer.status == 200
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0
        finally:
            if process.poll() is None:
                process.kill()


def test_train_leaves_its_failure_for_the_console(tmp_path: Path) -> None:
    """A job without its channel fails with the reason where SageMaker's console looks for it."""
    ended = subprocess.run(
        [str(SCRIPTS / "train")],
        env=_environment(SM_PREFIX=str(tmp_path)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    failure = (tmp_path / "output/failure").read_text()
    assert "archive" in failure
    assert failure in ended.stderr
