import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import redis
import uvloop
from redis import RedisError, exceptions
from redis.asyncio.connection import Connection

from feature_repo.online.redis_settings import RedisSettings
from feature_repo.online.wire import Wire, wires
from tests.support.redis_servers import redis_running

pytestmark = pytest.mark.integration

PING = b"*1\r\n$4\r\nPING\r\n"
CLIENT_ID = b"*2\r\n$6\r\nCLIENT\r\n$2\r\nID\r\n"


@pytest.fixture
async def wire(redis_server: str, redis_client: redis.Redis) -> AsyncIterator[Wire]:
    """A connection to an empty Redis."""
    assert redis_client.ping()
    made, _ = wires(RedisSettings(redis_server, answer_s=0.3))
    yield made
    await made.close()


async def _echo(wire: Wire, text: str, times: int) -> list[bytes]:
    word = text.encode()
    return await wire.ask(b"*2\r\n$4\r\nECHO\r\n$%d\r\n%b\r\n" % (len(word), word) * times, times)


async def test_each_gets_its_own_answers(wire: Wire) -> None:
    """Many requests share the connection, and none gets another's answer."""
    asked = [_echo(wire, f"{number}" * 50, 1 + number % 7) for number in range(200)]
    for number, answers in enumerate(await asyncio.gather(*asked)):
        assert answers == [f"{number}".encode() * 50] * (1 + number % 7)


async def test_answers_of_who_gave_up_reach_nobody(wire: Wire) -> None:
    """A request that is cancelled while it waits leaves the others their own answers."""
    await wire.ask(PING, 1)
    given_up = [asyncio.create_task(_echo(wire, "lost", 5)) for _ in range(10)]
    await asyncio.sleep(0)
    for task in given_up:
        task.cancel()
    assert await _echo(wire, "mine", 2) == [b"mine"] * 2


async def test_an_error_answer_is_raised_and_the_connection_goes_on(wire: Wire) -> None:
    """What Redis refuses is an error to who asked it, and to nobody after."""
    with pytest.raises(RedisError, match="unknown command"):
        await wire.ask(b"*1\r\n$7\r\nNONSENS\r\n" + PING, 2)
    assert await wire.ask(PING, 1) == [b"PONG"]


async def test_a_server_that_is_silent_is_given_up(wire: Wire, redis_client: redis.Redis) -> None:
    """No answer in time is a TimeoutError; a connection silent for so long is not used again."""
    (before,) = await wire.ask(CLIENT_ID, 1)
    redis_client.client_pause(600, all=True)
    with pytest.raises(exceptions.TimeoutError, match=r"0\.3 s"):
        await wire.ask(PING, 1)
    await asyncio.sleep(0.5)
    assert (await wire.ask(CLIENT_ID, 1))[0] != before


async def test_a_lost_connection_comes_back(tmp_path: Path) -> None:
    """After a restart of Redis the next question is answered; while it is away it fails at once."""
    with redis_running(tmp_path) as server:
        wire, _ = wires(RedisSettings(server.url(), retries=1, connect_s=0.2))
        assert await wire.ask(PING, 1) == [b"PONG"]
        server.kill()
        with pytest.raises(exceptions.ConnectionError):
            await wire.ask(PING, 1)
        server.start()
        assert await wire.ask(PING, 1) == [b"PONG"]
        await wire.close()


async def test_password_and_database_are_those_of_the_settings(tmp_path: Path) -> None:
    """redis-py logs in and selects the database before the connection is shared."""
    with redis_running(tmp_path, "--requirepass", "secret") as server:
        url = server.url().replace("/0", "/3")
        wire, _ = wires(RedisSettings(url, password="secret"))
        assert b"db=3" in (await wire.ask(b"*2\r\n$6\r\nCLIENT\r\n$4\r\nINFO\r\n", 1))[0]
        await wire.close()


def test_a_reset_in_the_handshake_is_a_redis_error(
    redis_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Uvloop raises an error of its own where a transport has just been reset."""

    async def reset(connection: Connection) -> None:
        raise RuntimeError(f"unable to perform operation on the transport of {connection}")

    async def scenario() -> None:
        wire, _ = wires(RedisSettings(redis_server, retries=0))
        with monkeypatch.context() as patch:
            patch.setattr(Connection, "on_connect", reset)
            with pytest.raises(exceptions.ConnectionError):
                await wire.ask(PING, 1)
        assert await wire.ask(PING, 1) == [b"PONG"]
        await wire.close()

    uvloop.run(scenario())


def test_a_connection_that_was_just_reset_is_a_redis_error(redis_server: str) -> None:
    """Who asks before the loop has told of the reset gets an error that is tried again."""

    async def scenario() -> None:
        wire, _ = wires(RedisSettings(redis_server, retries=0))
        await wire.ask(PING, 1)
        assert wire._line is not None
        wire._line._transport.abort()
        with pytest.raises(exceptions.ConnectionError):
            await wire.ask(PING, 1)
        assert await wire.ask(PING, 1) == [b"PONG"]
        await wire.close()

    uvloop.run(scenario())
