"""When rows become readable: ``python -m benchmarks.streaming.poll``, a process of its own.

It asks Redis for the same entities' rows again and again, in one round trip a view, and notes at
what time by the clock a row with a newer event first shows: that time less the event's own is the
delay. What the job says of itself is not asked.
"""

import argparse
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import hiredis
import msgspec
import numpy as np
import numpy.typing as npt
from redis import Redis

from feature_repo.online.keys import entity_key, row_field
from feature_repo.online.row_codec import HEADER_DTYPE
from feature_repo.schema import VIEWS

INTERVAL_S = 0.2
READ_BYTES = 1 << 20


class Watched(msgspec.Struct, frozen=True):
    """Entities of one view, each by its one join key."""

    view: str
    entities: list[str]


class Delays(msgspec.Struct, frozen=True):
    """Of one view: seconds from each event to the time at which it was first seen in a row."""

    view: str
    seconds: list[float]


class ViewPoller:
    """Asks for one view's rows; the request's bytes are made once."""

    def __init__(self, client: socket.socket, project: str, watched: Watched) -> None:
        schema = VIEWS[watched.view]
        self._view = watched.view
        self._client = client
        self._reader = hiredis.Reader()
        self._request = b"".join(
            _command(b"HGET", entity_key(project, schema, (name,)), row_field(schema))
            for name in watched.entities
        )
        self._seen_us: npt.NDArray[np.int64] = np.zeros(len(watched.entities), dtype=np.int64)
        self._delays: list[float] = []
        self._first = True

    def poll(self) -> None:
        """Ask once; note the delay of every event that was not there before."""
        newest_us = self._newest()
        now_us = time.time_ns() // 1000
        is_new = newest_us > self._seen_us
        if not self._first:  # what is there at first may have been there for long
            self._delays += ((now_us - newest_us[is_new]) / 1e6).tolist()
        self._first = False
        self._seen_us = np.maximum(self._seen_us, newest_us)

    def delays(self) -> Delays:
        """Return what was noted."""
        return Delays(self._view, self._delays)

    def _newest(self) -> npt.NDArray[np.int64]:
        """Return the newest event's time in each row, epoch us; 0 where there is no row."""
        self._client.sendall(self._request)
        size = HEADER_DTYPE.itemsize
        rows: list[bytes] = []
        while len(rows) < len(self._seen_us):
            self._reader.feed(self._client.recv(READ_BYTES))
            while (row := self._reader.gets()) is not False:
                rows.append(row[:size] if row else bytes(size))
        return np.frombuffer(b"".join(rows), dtype=HEADER_DTYPE)["event_us"].astype(np.int64)


def _command(*words: bytes) -> bytes:
    """Return a command as Redis reads it."""
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


def main(arguments: Sequence[str] | None = None) -> int:
    """Poll for some time, write the delays; return the exit code."""
    options = _parser().parse_args(arguments)
    watched = msgspec.json.decode(options.watched.read_bytes(), type=list[Watched])
    address = Redis.from_url(options.redis_url).connection_pool.connection_kwargs
    with socket.create_connection((address["host"], address["port"])) as client:
        pollers = [ViewPoller(client, options.project, one) for one in watched]
        end_s = time.monotonic() + options.seconds
        while (began_s := time.monotonic()) < end_s:
            for poller in pollers:
                poller.poll()
            time.sleep(max(began_s + INTERVAL_S - time.monotonic(), 0))
    options.report.write_bytes(msgspec.json.encode([poller.delays() for poller in pollers]))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.streaming.poll",
        description="Note when rows with newer events become readable in Redis.",
    )
    parser.add_argument("--redis-url", required=True, help="redis://host:port/0")
    parser.add_argument("--project", default="roadside", help="the Feast project")
    parser.add_argument("--watched", type=Path, required=True, help="views and entities, JSON")
    parser.add_argument("--seconds", type=float, required=True, help="how long")
    parser.add_argument("--report", type=Path, required=True, help="file for the delays")
    return parser


if __name__ == "__main__":
    sys.exit(main())
