"""When the poller sees rows."""

import socket
import time

import pytest
import redis

from benchmarks.streaming.poll import ViewPoller, Watched
from feature_repo.online.row_writer import RowWriter
from feature_repo.schema import PROVIDER_AVAILABILITY
from tests.support.rows import write

pytestmark = pytest.mark.integration


def _write(client: redis.Redis, provider: str, event_us: int) -> None:
    write(RowWriter(client, "roadside"), PROVIDER_AVAILABILITY, [provider], event_us)


def test_only_a_newer_event_that_shows_later_counts(redis_client: redis.Redis) -> None:
    """What is there at first does not count, a newer event does, once, with its age when seen."""
    host = redis_client.connection_pool.connection_kwargs
    now_us = time.time_ns() // 1000
    _write(redis_client, "p0", now_us - 60_000_000)
    with socket.create_connection((host["host"], host["port"])) as connection:
        watched = Watched(PROVIDER_AVAILABILITY.name, ["p0", "p1", "p2"])
        poller = ViewPoller(connection, "roadside", watched)
        poller.poll()
        _write(redis_client, "p0", now_us - 3_000_000)
        _write(redis_client, "p1", now_us - 7_000_000)
        poller.poll()
        poller.poll()
        elapsed_s = time.time() - now_us / 1e6
    delays = sorted(poller.delays().seconds)
    assert len(delays) == 2
    assert 3 <= delays[0] <= 3 + elapsed_s
    assert 7 <= delays[1] <= 7 + elapsed_s
