"""How far a job is: events that its sources read, rows that Redis took, events too late."""

import urllib.parse
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from benchmarks.streaming.stack import Stack
from deploy.local import flink_rest
from deploy.local.flink import FlinkError


@dataclass(frozen=True)
class Counts:
    """Totals since the job and Redis were started.

    Attributes:
        events: Records that the sources passed on.
        rows: Hash fields that Redis set, whoever asked for it.
        late: Events that came after their windows had closed.
    """

    events: int
    rows: int
    late: int


class JobCounts:
    """Asks Flink and Redis; both count for themselves, whatever the job says of its work."""

    def __init__(self, stack: Stack, job: str, streams: Iterable[str]) -> None:
        self._stack, self._job = stack, job
        self._path = f"/jobs/{job}/vertices"
        self._sources = [f"Source__{stream}.numRecordsOut" for stream in streams]
        vertices = flink_rest.request(stack.cluster, f"/jobs/{job}")["vertices"]
        self._metrics = {vertex["id"]: self._names(vertex["id"]) for vertex in vertices}

    def read(self) -> Counts:
        """Return the totals.

        Raises:
            FlinkError: The job has failed once; what restarts has counted twice.
        """
        entries = flink_rest.request(self._stack.cluster, f"/jobs/{self._job}/exceptions")
        if entries["exceptionHistory"]["entries"]:
            cause = flink_rest.root_cause(self._stack.cluster, self._job)
            raise FlinkError(f"the job failed: {cause}; see {self._stack.cluster.log_dir}")
        totals: dict[str, int] = {}
        for vertex, names in self._metrics.items():
            if names:
                for metric in self._ask(
                    vertex, f"?agg=sum&get={urllib.parse.quote(','.join(names))}"
                ):
                    totals[metric["id"]] = totals.get(metric["id"], 0) + round(metric["sum"])
        commands: Any = self._stack.redis.info("commandstats")
        return Counts(
            events=sum(totals.get(name, 0) for name in self._sources),
            rows=commands.get("cmdstat_hset", {"calls": 0})["calls"],
            late=sum(n for name, n in totals.items() if name not in self._sources),
        )

    def _names(self, vertex: str) -> list[str]:
        known = [metric["id"] for metric in self._ask(vertex)]
        return [n for n in known if n in self._sources or n.endswith(".numLateRecordsDropped")]

    def _ask(self, vertex: str, query: str = "") -> list[dict[str, Any]]:
        answer: Any = flink_rest.request(
            self._stack.cluster, f"{self._path}/{vertex}/subtasks/metrics{query}"
        )
        metrics: list[dict[str, Any]] = answer
        return metrics
