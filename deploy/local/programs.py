"""The commands and settings of our own programs in the local stack: data only, nothing starts."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deploy.local import emulator
from deploy.local.layout import REPOSITORY, Layout
from deploy.local.ports import HOST, Ports

ENDPOINT_NAME = "dispatch-ranker"
FEATURE_REPO = REPOSITORY / "feature_repo"
PYTHON = (sys.executable, "-m")
FEAST = (*PYTHON, "feast.cli.cli")
_DEFAULT_REDIS_URL = "redis://127.0.0.1:16379/0"
_DEFAULT_REGISTRY = "../.run/registry.db"


def _last_archive_end() -> datetime:
    """Return the last 07:00 UTC, so that an archive does not depend on when it is made.

    Its requests end some hours before: on an afternoon, all over the United States. Those of a
    night would be a fifth as many, too few to train with.
    """
    now = datetime.now(UTC)
    end = now.replace(hour=7, minute=0, second=0, microsecond=0)
    return end if end <= now else end - timedelta(days=1)


@dataclass(frozen=True)
class World:
    """What the simulator plays.

    Attributes:
        history_end: When the archive ends, which is also as of when labels are ripe: in a small
            archive the last outcome may have come in hours before its end.
    """

    providers: int = 400
    seed: int = 7
    history_hours: float = 4.0
    speed: float = 1.0
    exclude_providers: tuple[str, ...] = ()
    history_end: datetime = field(default_factory=_last_archive_end)


@dataclass(frozen=True)
class Programs:
    """What each program is told: its arguments, its environment, its settings file."""

    layout: Layout
    ports: Ports
    world: World

    @property
    def redis_url(self) -> str:
        """Where Redis is."""
        return f"redis://{HOST}:{self.ports.redis}/0"

    @property
    def kinesis_url(self) -> str:
        """Where the Kinesis emulator is."""
        return f"http://{HOST}:{self.ports.kinesis}"

    @property
    def environment(self) -> dict[str, str]:
        """What our own programs are told by environment variables."""
        return {
            **emulator.AWS_ENVIRONMENT,
            "PYTHONPATH": str(REPOSITORY),
            "FEATURE_DATA_DIR": str(self.layout.offline.resolve()),
            "FEAST_FS_YAML_FILE_PATH": str(self.layout.feature_store_yaml.resolve()),
            "FEAST_USAGE": "False",
            "PYTHONWARNINGS": "ignore",
        }

    def redis(self) -> list[str]:
        """Redis, without anything on disk; whole hashes in one piece (docs/feature-store.md)."""
        return ["redis-server", "--bind", HOST, "--port", str(self.ports.redis), "--save", "",
                "--appendonly", "no", "--hash-max-listpack-value", "256"]  # fmt: skip

    def history(self) -> list[str]:
        """The simulator's archive."""
        return [*PYTHON, "simulator", "history", "--out", str(self.layout.data), "--hours",
                str(self.world.history_hours), "--end", self.world.history_end.isoformat(),
                *self._world()]  # fmt: skip

    def simulator(self) -> list[str]:
        """The simulator, live."""
        arguments = [*self._world(), "--endpoint-url", self.kinesis_url,
                     "--speed", str(self.world.speed)]  # fmt: skip
        if self.world.exclude_providers:
            arguments += ["--exclude-providers", ",".join(self.world.exclude_providers)]
        return [*PYTHON, "simulator", "live", *arguments]

    def feast_apply(self) -> list[str]:
        """Register the views."""
        return [*FEAST, "apply"]

    def feast_materialize(self) -> list[str]:
        """Bring the batch views' newest rows into Redis."""
        now = datetime.now(UTC)
        start, end = (f"{t:%Y-%m-%dT%H:%M:%S}" for t in (now - timedelta(days=365), now))
        return [*FEAST, "materialize", start, end, "-v", "provider_profile", "-v",
                "provider_history"]  # fmt: skip

    def check_offline(self, views: Sequence[str]) -> list[str]:
        """The gate of the offline rows, before anything is published from them."""
        return [*PYTHON, "training.offline_checks", "--offline", str(self.layout.offline),
                "--views", *views]  # fmt: skip

    def training(self) -> list[str]:
        """From the archive to a model bundle."""
        return [*PYTHON, "training.run", "--data", str(self.layout.data), "--bundle",
                str(self.layout.bundle), "--feature-repo", str(FEATURE_REPO), "--as-of",
                self.world.history_end.isoformat(), "--seed", str(self.world.seed)]  # fmt: skip

    def endpoint(self) -> list[str]:
        """The scoring endpoint."""
        return [*PYTHON, "scoring.endpoint.serve", "--model-dir", str(self.layout.bundle),
                "--port", str(self.ports.endpoint)]  # fmt: skip

    def gateway(self) -> list[str]:
        """The gateway."""
        return [*PYTHON, "scoring.gateway.serve", "--bundle", str(self.layout.bundle),
                "--port", str(self.ports.gateway), "--redis-url", self.redis_url,
                "--endpoint-name", ENDPOINT_NAME,
                "--endpoint-url", f"http://{HOST}:{self.ports.endpoint}",
                "--kinesis-url", self.kinesis_url,
                "--spill-dir", str(self.layout.run_dir / "decision-spill")]  # fmt: skip

    def write_feature_store_yaml(self) -> None:
        """Write Feast's settings with this stack's addresses; the rest is the repository's own."""
        text = (FEATURE_REPO / "feature_store.yaml").read_text()
        registry = str(self.layout.run_dir.resolve() / "registry.db")
        text = text.replace(_DEFAULT_REDIS_URL, self.redis_url).replace(_DEFAULT_REGISTRY, registry)
        self.layout.feature_store_yaml.write_text(text)

    def write_stream_properties(self) -> Path:
        """Write the live jobs' settings; return the file."""
        return self._write_properties(
            "stream",
            {
                "streams": {
                    "region": emulator.REGION,
                    "endpoint_url": self.kinesis_url,
                    "access_key": emulator.ACCESS_KEY,
                    "secret_key": emulator.SECRET_KEY,
                    # The streams are as new as the stack: nothing from before the job is lost.
                    "initial_position": "TRIM_HORIZON",
                },
                "event_time": {"conditions_slide_s": "15", "demand_slide_s": "15"},
                "feature_store": {
                    "redis_url": self.redis_url,
                    "offline_dir": str(self.layout.offline.resolve()),
                },
            },
        )

    def write_backfill_properties(self) -> Path:
        """Write the settings of the same jobs over the archive; return the file."""
        return self._write_properties(
            "backfill",
            {
                "jobs": {"name": "backfill"},
                "streams": {"kind": "archive", "archive_dir": str(self.layout.data / "events")},
                # History has a fix a minute, so a window a minute sees each of them.
                "event_time": {"motion_slide_s": "60"},
                "feature_store": {"offline_dir": str(self.layout.offline.resolve())},
            },
        )

    def _world(self) -> list[str]:
        return ["--providers", str(self.world.providers), "--seed", str(self.world.seed)]

    def _write_properties(self, name: str, groups: dict[str, dict[str, str]]) -> Path:
        """Write property groups in the form of the managed service's file."""
        entries = [{"PropertyGroupId": g, "PropertyMap": p} for g, p in groups.items()]
        path = self.layout.run_dir.resolve() / f"{name}_properties.json"
        path.write_text(json.dumps(entries, indent=2) + "\n")
        return path
