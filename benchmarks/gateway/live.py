"""Keeps the providers' rows fresh, as the jobs do: ``python -m benchmarks.gateway.live``."""

import argparse
import sys
import time
from collections.abc import Iterator

from redis import Redis

from benchmarks.gateway.world import Rows, World
from feature_repo.online.row_writer import RowWriter
from feature_repo.schema import PROVIDER_MOTION, STREAM_VIEWS

PROJECT = "roadside"
MOTION_S = 15.0
AVAILABILITY_S = 60.0
"""How often each provider's row is written anew: 5.3 and 1.3 thousand rows a second of 80,000."""
BEACON_S = 5.0
ROWS_AT_ONCE = 500


def write(writer: RowWriter, rows: Rows) -> None:
    """Write rows, whatever their number."""
    for part in rows.parts():
        writer.write(part.schema, part.entities, part.columns, part.event_us, part.event_us)


def main() -> int:
    """Write until killed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gateway.live", description=__doc__)
    parser.add_argument("--redis-url", required=True, help="the store")
    parser.add_argument("--providers", type=int, required=True, help="how many there are")
    parser.add_argument("--seed", type=int, required=True, help="of the world")
    options = parser.parse_args()
    writer = RowWriter(Redis.from_url(options.redis_url), PROJECT)
    world = World(options.providers, options.seed)
    live = world.live_rows(_now_us())
    turns = [
        _beacons(writer),
        *(
            _turns(writer, rows, MOTION_S if rows.schema is PROVIDER_MOTION else AVAILABILITY_S)
            for rows in live
        ),
    ]
    while True:
        pause_s = min(next(turn) for turn in turns)
        time.sleep(max(pause_s, 0))


def _turns(writer: RowWriter, rows: Rows, every_s: float) -> Iterator[float]:
    """Write some rows whenever it is time; yield the seconds until it is again."""
    parts = list(rows.parts(ROWS_AT_ONCE))
    step_s, due = every_s / len(parts), time.monotonic()
    while True:
        for part in parts:
            while (left := due - time.monotonic()) > 0:
                yield left
            now = part.at(_now_us())
            writer.write(now.schema, now.entities, now.columns, now.event_us, now.event_us)
            due += step_s


def _beacons(writer: RowWriter) -> Iterator[float]:
    """Say that the jobs live, without which no row counts; yield the seconds until it is due."""
    due = time.monotonic()
    while True:
        for view in STREAM_VIEWS:
            writer.beacon(view.name, _now_us(), _now_us())
        due += BEACON_S
        while (left := due - time.monotonic()) > 0:
            yield left


def _now_us() -> int:
    return time.time_ns() // 1000


if __name__ == "__main__":
    sys.exit(main())
