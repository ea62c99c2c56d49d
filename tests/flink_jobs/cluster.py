"""A real Flink cluster whose processes a test may kill."""

import json
import os
import signal
import subprocess
from pathlib import Path

import psutil

from deploy.local import flink_rest
from deploy.local.flink import Command, FlinkCluster
from tests.conftest import free_port

REPOSITORY = Path(__file__).parents[2]
END_S = 30.0
FRESH = {
    # The REST interface repeats its answers for seconds; tests ask for what is true now.
    "web.refresh-interval": "100 ms",
    "metrics.fetcher.update-interval": "1 s",
    "rest.cache.checkpoint-statistics.timeout": "20 ms",
}


class RunningCluster:
    """A job manager and a task manager, each with its children in a process group."""

    def __init__(self, run_dir: Path) -> None:
        self.flink = FlinkCluster(run_dir, REPOSITORY, free_port(), free_port(), extra=FRESH)
        self.flink.write_config()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start what does not run, and wait for the slots."""
        for name, command in (
            ("jobmanager", self.flink.jobmanager()),
            ("taskmanager", self.flink.taskmanager()),
        ):
            if name not in self._processes:
                self._processes[name] = self._start(name, command)
        flink_rest.wait_for_slots(self.flink, 120)

    def submit(
        self, jar: Path, groups: dict[str, dict[str, str]], restore_from: str | None = None
    ) -> str:
        """Submit the application; return the running job's id."""
        properties = self.flink.run_dir / "properties.json"
        entries = [{"PropertyGroupId": k, "PropertyMap": v} for k, v in groups.items()]
        properties.write_text(json.dumps(entries))
        command = self.flink.submit(jar, properties, restore_from)
        ended = subprocess.run(
            command.argv,
            env=dict(command.env),
            cwd=command.cwd,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return flink_rest.wait_for_running(self.flink, 120)

    def kill(self, *names: str) -> None:
        """End processes at once, as a machine that fails does."""
        for name in names:
            process = self._processes.pop(name)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(END_S)

    def freeze_workers(self) -> None:
        """Stop the Python workers of the task manager where they stand, until it is killed."""
        java = psutil.Process(self._processes["taskmanager"].pid)
        workers = [p for p in java.children(recursive=True) if "python" in p.name()]
        assert workers, "the task manager has no Python workers"
        for worker in workers:
            worker.suspend()

    def half_done_checkpoint(self, job_id: str) -> int | None:
        """Return the number of a checkpoint for which some tasks have written their state."""
        history = flink_rest.request(self.flink, f"/jobs/{job_id}/checkpoints")["history"]
        for entry in history:
            done, tasks = entry["num_acknowledged_subtasks"], entry["num_subtasks"]
            if entry["status"] == "IN_PROGRESS" and 0 < done < tasks:
                number: int = entry["id"]
                return number
        return None

    def checkpoint_status(self, job_id: str, number: int) -> str:
        """Return how a checkpoint ended."""
        path = f"/jobs/{job_id}/checkpoints/details/{number}"
        status: str = flink_rest.request(self.flink, path)["status"]
        return status

    def failures(self, job_id: str, since_ms: int) -> list[str]:
        """Return the first line of what made a job restart since some time, epoch ms."""
        entries = flink_rest.request(self.flink, f"/jobs/{job_id}/exceptions")
        return [
            entry["stacktrace"].splitlines()[0]
            for entry in entries["exceptionHistory"]["entries"]
            if entry["timestamp"] >= since_ms
        ]

    def stop(self) -> None:
        """End everything."""
        for name in list(self._processes):
            process = self._processes.pop(name)
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(END_S)

    def _start(self, name: str, command: Command) -> "subprocess.Popen[bytes]":
        with (self.flink.run_dir / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                command.argv,
                env=dict(command.env),
                cwd=command.cwd,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
