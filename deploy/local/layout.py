"""Where the local stack keeps what it makes: everything under one run directory."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
FLINK_JAR = REPOSITORY / "flink_jobs" / "target" / "flink-jobs.jar"


@dataclass(frozen=True)
class Layout:
    """The files of one local stack.

    Attributes:
        run_dir: Everything is under it; deleting it starts afresh.
    """

    run_dir: Path

    @property
    def logs(self) -> Path:
        """One log file a process."""
        return self.run_dir / "logs"

    @property
    def data(self) -> Path:
        """Simulated history: events, batch rows, decisions, outcomes."""
        return self.run_dir / "data"

    @property
    def offline(self) -> Path:
        """The Parquet rows of every feature view."""
        return self.data / "offline"

    @property
    def bundle(self) -> Path:
        """The model bundle."""
        return self.run_dir / "bundle"

    @property
    def feature_store_yaml(self) -> Path:
        """Feast's settings for this stack's ports."""
        return self.run_dir / "feature_store.yaml"

    @property
    def prepared(self) -> Path:
        """Says from what the data and the bundle were made."""
        return self.run_dir / "prepared.txt"


def fingerprint(rooms: tuple[str, ...], *parameters: object) -> str:
    """Return a digest of the source files of some rooms and of parameters.

    History and model are made again when, and only when, what makes them has changed.
    """
    digest = hashlib.blake2b(repr(parameters).encode(), digest_size=16)
    for room in rooms:
        for path in sorted((REPOSITORY / room).rglob("*")):
            if path.suffix in {".py", ".sql", ".java", ".xml"} and "target" not in path.parts:
                digest.update(path.relative_to(REPOSITORY).as_posix().encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()
