"""The application on Managed Service for Apache Flink: its state, snapshots, stop and start."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from deploy.flink_app.failures import DeployError, refusals
from deploy.flink_app.progress import Progress

RUNNING = "RUNNING"
READY = "READY"
"""The service's word for an application that does not run."""


class Restore(StrEnum):
    """With what state an application starts."""

    SNAPSHOT = "snapshot"
    """With all of a snapshot's, or not at all."""
    PARTIAL = "partial"
    """With what of a snapshot's fits; the rest is dropped."""
    NOTHING = "nothing"
    """Without any."""


@dataclass(frozen=True)
class Application:
    """An application of the service.

    Attributes:
        client: boto3's for ``kinesisanalyticsv2``.
        name: The application's.
        progress: How to tell and wait.
    """

    client: Any
    name: str
    progress: Progress

    def status(self) -> str:
        """Return the service's word for what it is doing."""
        return str(self._detail()["ApplicationStatus"])

    def code(self) -> tuple[str, str]:
        """Return bucket and key of the code that it is set to run."""
        configuration = self._detail()["ApplicationConfigurationDescription"]
        content = configuration["ApplicationCodeConfigurationDescription"]["CodeContentDescription"]
        place = content["S3ApplicationCodeLocationDescription"]
        return place["BucketARN"].rpartition(":")[2], place["FileKey"]

    def newest_snapshot(self) -> str | None:
        """Return the name of the newest snapshot that can be restored, or None."""
        with refusals(f"Listing the snapshots of {self.name}"):
            pages = self.client.get_paginator("list_application_snapshots").paginate(
                ApplicationName=self.name
            )
            ready = [
                snapshot
                for page in pages
                for snapshot in page["SnapshotSummaries"]
                if snapshot["SnapshotStatus"] == READY
            ]
        # Sorting keeps the service's order, which is theirs of making, among those of one second.
        ready.sort(key=lambda snapshot: snapshot["SnapshotCreationTimestamp"])
        return str(ready[-1]["SnapshotName"]) if ready else None

    def snapshot(self, name: str) -> None:
        """Take a snapshot of the running application.

        Raises:
            DeployError: It cannot be taken.
        """
        with refusals(f"Snapshot {name} of {self.name}"):
            self.client.create_application_snapshot(ApplicationName=self.name, SnapshotName=name)

        def read() -> str:
            with refusals(f"Reading snapshot {name} of {self.name}"):
                details = self.client.describe_application_snapshot(
                    ApplicationName=self.name, SnapshotName=name
                )["SnapshotDetails"]
            return str(details["SnapshotStatus"])

        status = self.progress.settled(f"snapshot {name}", read, ("CREATING",))
        if status != READY:
            raise DeployError(
                f"snapshot {name} of {self.name} is {status}; a job that cannot be snapshotted is "
                "unwell: look at its log and its checkpoints first"
            )

    def stop(self, former: str = RUNNING, *, force: bool = False) -> None:
        """Stop it and wait until it is stopped.

        Args:
            former: What it is now.
            force: Without a snapshot, and whatever it is doing.

        Raises:
            DeployError: It does not stop.
        """
        with refusals(f"Stopping {self.name}"):
            self.client.stop_application(ApplicationName=self.name, Force=force)
        passing = ("STOPPING", "FORCE_STOPPING")
        self._reach(READY, passing, former, "it did not stop")

    def start(self, restore: Restore, snapshot: str | None = None) -> None:
        """Start it and wait until it runs.

        Args:
            restore: How much of a snapshot it starts with.
            snapshot: The snapshot's name; the newest one's if not given.

        Raises:
            DeployError: It does not start.
        """
        if restore is Restore.NOTHING:
            snapshot = None
        elif snapshot is None:
            snapshot = self.newest_snapshot()
        self.progress.tell(f"Starting {self.name} {_from(snapshot, restore)}")
        with refusals(f"Starting {self.name}"):
            self.client.start_application(
                ApplicationName=self.name, RunConfiguration=_run_configuration(snapshot, restore)
            )
        why = f"it did not start {_from(snapshot, restore)}; its log stream says why"
        self._reach(RUNNING, ("STARTING",), READY, why)

    def _reach(self, wanted: str, passing: tuple[str, ...], former: str, otherwise: str) -> None:
        status = self.progress.settled(f"application {self.name}", self.status, passing, former)
        if status != wanted:
            raise DeployError(f"application {self.name} is {status}: {otherwise}")

    def _detail(self) -> dict[str, Any]:
        with refusals(f"Reading application {self.name}"):
            detail: dict[str, Any] = self.client.describe_application(ApplicationName=self.name)[
                "ApplicationDetail"
            ]
        return detail


def _from(snapshot: str | None, restore: Restore) -> str:
    if snapshot is None:
        return "without state"
    return f"from snapshot {snapshot}{', as far as it fits' * (restore is Restore.PARTIAL)}"


def _run_configuration(snapshot: str | None, restore: Restore) -> dict[str, Any]:
    if snapshot is None:
        return {
            "ApplicationRestoreConfiguration": {
                "ApplicationRestoreType": "SKIP_RESTORE_FROM_SNAPSHOT"
            }
        }
    return {
        "ApplicationRestoreConfiguration": {
            "ApplicationRestoreType": "RESTORE_FROM_CUSTOM_SNAPSHOT",
            "SnapshotName": snapshot,
        },
        "FlinkRunConfiguration": {"AllowNonRestoredState": restore is Restore.PARTIAL},
    }
