"""The Feast views over the offline rows of one archive, registered for as long as a job runs."""

import os
import subprocess
import sys
from pathlib import Path

import yaml

import feature_repo
from training.errors import DataError

_DECLARED = Path(feature_repo.__file__).parent
_SETTINGS = "feature_store.yaml"
_LINES_TOLD = 5


def register(offline: Path, repository: Path) -> Path:
    """Make a Feast repository whose views read these offline rows; return it.

    Args:
        offline: The folder above the views' rows.
        repository: A directory that is not there yet.

    Raises:
        DataError: Feast refuses; the message has its reason.
    """
    repository.mkdir(parents=True)
    settings = yaml.safe_load((_DECLARED / _SETTINGS).read_text(encoding="utf-8"))
    settings |= {"registry": str((repository / "registry.db").resolve()), "online_store": None}
    written = repository / _SETTINGS
    written.write_text(yaml.safe_dump(settings), encoding="utf-8")
    # The views read the environment when they are imported, hence a process of its own.
    applied = subprocess.run(
        [sys.executable, "-m", "feast.cli.cli", "--chdir", str(_DECLARED), "apply"],
        env={
            **os.environ,
            "FEATURE_DATA_DIR": str(offline.resolve()),
            "FEAST_FS_YAML_FILE_PATH": str(written.resolve()),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if applied.returncode:
        last_words = "\n".join(applied.stderr.strip().splitlines()[-_LINES_TOLD:])
        raise DataError(f"`feast apply` over {offline} failed:\n{last_words}")
    return repository
