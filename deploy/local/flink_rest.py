"""What a Flink cluster says of itself and its jobs, over its REST interface."""

import json
import time
import urllib.parse
import urllib.request
from typing import Any

from deploy.local.flink import FlinkCluster, FlinkError

POLL_S = 0.25
METRICS_A_REQUEST = 50
"""Their names go into the address, which has a longest length."""
REQUEST_TIMEOUT_S = 10.0


def wait_for_slots(cluster: FlinkCluster, timeout_s: float = 60.0) -> None:
    """Wait until the cluster answers and has all its slots.

    Raises:
        FlinkError: It has not within ``timeout_s``.
    """
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        try:
            if request(cluster, "/overview")["slots-total"] >= cluster.slots:
                return
        except FlinkError:
            pass  # not listening yet
        time.sleep(POLL_S)
    raise FlinkError(f"Flink is not ready after {timeout_s:g} s; see {cluster.log_dir}")


def job_states(cluster: FlinkCluster) -> dict[str, str]:
    """Return the state of every job that the cluster knows, by job id."""
    return {job["id"]: job["status"] for job in request(cluster, "/jobs")["jobs"]}


def wait_for_running(cluster: FlinkCluster, timeout_s: float = 90.0) -> str:
    """Wait until one job runs with all its tasks; return its id.

    Raises:
        FlinkError: It failed, or none runs within ``timeout_s``.
    """
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        for job_id, state in job_states(cluster).items():
            if state == "FAILED":
                raise FlinkError(f"job {job_id} failed: {root_cause(cluster, job_id)}")
            if state == "RUNNING" and all_tasks_run(cluster, job_id):
                return job_id
        time.sleep(POLL_S)
    raise FlinkError(f"no job runs after {timeout_s:g} s; see {cluster.url} and {cluster.log_dir}")


def all_tasks_run(cluster: FlinkCluster, job_id: str) -> bool:
    """Return whether every task of a job is running."""
    vertices = request(cluster, f"/jobs/{job_id}")["vertices"]
    return all(vertex["status"] == "RUNNING" for vertex in vertices)


def root_cause(cluster: FlinkCluster, job_id: str) -> str:
    """Return the first line of each exception that a job had, newest first."""
    history = request(cluster, f"/jobs/{job_id}/exceptions")["exceptionHistory"]["entries"]
    causes = []
    for entry in history:
        trace = entry["stacktrace"].splitlines()
        causes.append(next((t for t in reversed(trace) if t.startswith("Caused by")), trace[0]))
    return "; ".join(causes) or "no exception recorded"


def completed_checkpoints(cluster: FlinkCluster, job_id: str) -> int:
    """Return how many checkpoints a job has completed."""
    counts = request(cluster, f"/jobs/{job_id}/checkpoints")["counts"]
    return int(counts["completed"])


def task_metrics(cluster: FlinkCluster, job_id: str) -> dict[str, float]:
    """Return every metric of a job's operators that is a number, by its full name."""
    found: dict[str, float] = {}
    for vertex in request(cluster, f"/jobs/{job_id}")["vertices"]:
        base = f"/jobs/{job_id}/vertices/{vertex['id']}/subtasks/metrics"
        names = [metric["id"] for metric in _request(cluster, base)]
        for start in range(0, len(names), METRICS_A_REQUEST):
            asked = urllib.parse.quote(",".join(names[start : start + METRICS_A_REQUEST]))
            for metric in _request(cluster, f"{base}?get={asked}"):
                found[metric["id"]] = metric["max"]
    return found


def request(cluster: FlinkCluster, path: str) -> dict[str, Any]:
    """Ask the REST interface for an object.

    Raises:
        FlinkError: It does not answer, or refuses.
    """
    answer: dict[str, Any] = _request(cluster, path)
    return answer


def _request(cluster: FlinkCluster, path: str) -> Any:
    try:
        with urllib.request.urlopen(cluster.url + path, timeout=REQUEST_TIMEOUT_S) as response:  # noqa: S310 - the scheme is ours
            return json.load(response)
    except OSError as error:  # what urllib raises is one too
        raise FlinkError(f"Flink at {cluster.url}{path}: {error}") from error
