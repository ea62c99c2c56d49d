import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("redis", reason="the product's environment has the store's clients")

import redis

from deploy.store_users import COMMANDS
from feature_repo.online.async_reader import AsyncFeatureReader, Entities, Group
from feature_repo.online.changes import Changes
from feature_repo.online.read_route import ReadRoute
from feature_repo.online.redis_settings import RedisSettings
from feature_repo.online.row_writer import RowWriter
from feature_repo.online.wire import wires
from feature_repo.schema import PROVIDER_MOTION
from tests.support import rows
from tests.support.redis_servers import RedisServer, redis_running

pytestmark = pytest.mark.integration

PROJECT, PASSWORD = "test", "secret"
NOW_US = time.time_ns() // 1000


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis that knows the deployed users and nobody else."""
    arguments = ["--user", "default", "off"]
    for user, commands in COMMANDS.items():
        arguments += ["--user", user, f">{PASSWORD}", *commands.split()]
    with redis_running(tmp_path, *arguments) as running:
        yield running


def _settings(server: RedisServer, user: str) -> RedisSettings:
    """Log in as the tasks do: the user in the URL, the password beside it."""
    return RedisSettings(server.url(user_info=f"{user}@"), password=PASSWORD)


def _write(server: RedisServer) -> None:
    client = redis.Redis.from_url(server.url(user_info=f"jobs:{PASSWORD}@"))  # as Flink's does
    writer = RowWriter(client, PROJECT)
    rows.write(writer, PROVIDER_MOTION, ["p1"], NOW_US, lat=40.0, lon=-75.0)
    writer.beacon(PROVIDER_MOTION.name, NOW_US, NOW_US)


async def test_the_users_may_do_all_that_they_do(server: RedisServer) -> None:
    """Jobs write rows and beacons; the gateway finds, reads, shares and is told of changes."""
    _write(server)
    wire, _ = wires(_settings(server, "gateway"))
    read = await AsyncFeatureReader(ReadRoute(wire), PROJECT).read(
        [Entities(["p1"], (Group((PROVIDER_MOTION,)),))], NOW_US + 1
    )
    assert read["provider_motion"].columns["provider_motion__lat"][0] == 40.0
    geo = f"GEOSEARCH {PROJECT}:geo FROMLONLAT -75 40 BYRADIUS 5 km ASC\r\n".encode()
    assert await wire.ask(geo, 1) == [[b"p1"]]
    assert await wire.ask(b"SET a b NX GET EX 5\r\nSET a c EX 5\r\nDEL a\r\n", 3) == [
        None, b"OK", 1,
    ]  # fmt: skip
    question, count = Changes(PROJECT).subscription()
    assert (await wire.ask(question, count))[1] == b"OK"
    await wire.close()


@pytest.mark.parametrize(
    ("user", "command"),
    [
        ("gateway", ("EVAL", "return 1", 0)),
        ("gateway", ("FLUSHALL",)),
        ("gateway", ("CONFIG", "GET", "*")),
        ("jobs", ("FLUSHALL",)),
        ("jobs", ("KEYS", "*")),
        ("jobs", ("ACL", "LIST")),
    ],
)
def test_a_user_may_do_no_more(
    server: RedisServer, user: str, command: tuple[str | int, ...]
) -> None:
    """What a user does not need is refused to it."""
    client = redis.Redis.from_url(server.url(user_info=f"{user}:{PASSWORD}@"))
    with pytest.raises(redis.exceptions.NoPermissionError):
        client.execute_command(*command)


def test_nobody_comes_in_without_a_password(server: RedisServer) -> None:
    """The default user, who needs no password elsewhere, is off."""
    with pytest.raises(redis.exceptions.AuthenticationError):
        redis.Redis.from_url(server.url()).ping()
