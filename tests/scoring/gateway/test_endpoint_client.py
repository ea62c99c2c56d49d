import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from scoring.gateway.endpoint_client import VARIANT_HEADERS, EndpointClient
from scoring.gateway.resilience.retry_budget import RetryBudget
from scoring.gateway.score import EndpointError
from scoring.gateway.signing import Signer

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def _served(handler: Handler, answer_s: float = 0.5) -> AsyncIterator[EndpointClient]:
    serving: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        finally:
            writer.close()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.ensure_future(serve(reader, writer)))

    server = await asyncio.start_server(begin, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    signer, budget = Signer(None, "eu-west-1"), RetryBudget(1.0)
    client = EndpointClient(f"http://127.0.0.1:{port}", "ranker", signer, budget, answer_s)
    try:
        yield client
    finally:
        client.close()
        server.close()
        await asyncio.gather(*serving, return_exceptions=True)
        await asyncio.sleep(0)


async def _body(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]
    return await reader.readexactly(int(length))


def _answer(body: bytes, status: str = "200 OK") -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status.encode(), len(body), body)


class Echo:
    """Answers what it is asked, so often a connection, and counts its connections."""

    def __init__(self, answers_a_connection: int = 1000) -> None:
        self.connections = 0
        self._answers = answers_a_connection

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection."""
        self.connections += 1
        for _ in range(self._answers):
            try:
                writer.write(_answer(await _body(reader)))
            except asyncio.IncompleteReadError:
                break


async def test_connections_are_kept() -> None:
    """One request after another uses one connection; ten at a time use ten, each its own answer."""
    echo = Echo()
    async with _served(echo) as client:
        for number in range(5):
            assert (await client.invoke(b"%d" % number)).body == b"%d" % number
        assert echo.connections == 1
        bodies = [b"%d" % number * 10_000 for number in range(10)]
        assert [
            answer.body for answer in await asyncio.gather(*map(client.invoke, bodies))
        ] == bodies
        assert echo.connections == 10


async def test_a_connection_that_ended_while_it_was_idle_is_no_failure() -> None:
    """An endpoint may close a kept connection at any time: the request goes over a new one."""
    echo = Echo(answers_a_connection=1)
    async with _served(echo) as client:
        for number in range(4):
            assert (await client.invoke(b"%d" % number)).body == b"%d" % number


@pytest.mark.parametrize("name", VARIANT_HEADERS)
async def test_the_variant_that_answered_is_told(name: bytes) -> None:
    """The endpoint says which of its variants answered, and the next answer may be another's."""
    variants = iter([b"production", b"candidate", None])

    async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for variant in variants:
            answer = _answer(await _body(reader))
            if variant is not None:
                answer = answer.replace(b"\r\n", b"\r\n%b: %b\r\n" % (name, variant), 1)
            writer.write(answer)

    async with _served(answering) as client:
        told = [(await client.invoke(b"who?")).variant for _ in range(3)]
    assert told == ["production", "candidate", ""]


async def test_no_answer_in_time_is_an_error_and_its_connection_is_not_used_again() -> None:
    """A late answer never meets the next question."""

    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = await _body(reader)
        await asyncio.sleep(0.2 if body == b"first" else 0)
        writer.write(_answer(body))

    async with _served(late, answer_s=0.1) as client:
        with pytest.raises(EndpointError, match=r"'ranker': no answer in 0\.1 s"):
            await client.invoke(b"first")
        assert (await client.invoke(b"second")).body == b"second"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (_answer(b'{"remedy": "deploy both"}', "409 Conflict"), "HTTP 409.*deploy both"),
        (b"what?\r\n\r\n", "not HTTP"),
        (b"", "closed|lost|reset"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", "closed|lost|reset"),
    ],
)
async def test_whatever_else_is_said_is_an_endpoint_error(said: bytes, told: str) -> None:
    """A refusal, nonsense and half an answer: one error, that names the endpoint and the cause."""

    async def saying(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _body(reader)
        writer.write(said)

    async with _served(saying) as client:
        with pytest.raises(EndpointError, match=f"'ranker': .*({told})"):
            await client.invoke(b"body")


async def test_nobody_there_is_an_endpoint_error() -> None:
    """A refused connection is one, too."""
    signer, budget = Signer(None, "eu-west-1"), RetryBudget(1.0)
    with pytest.raises(EndpointError, match="'ranker'"):
        await EndpointClient("http://127.0.0.1:1", "ranker", signer, budget).invoke(b"body")
