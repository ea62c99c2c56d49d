"""One kept HTTP/1.1 connection: a request at a time, bytes in, status and body out."""

import asyncio
from typing import cast

import httptools


class HttpConnection(asyncio.Protocol):
    """A connection of the event loop that made it; ``create_connection``'s protocol.

    Attributes:
        is_open: Whether it can be asked once more.
        headers: Of the newest answer, by name as it was sent.
    """

    def __init__(self) -> None:
        self.is_open = False
        self.headers: dict[bytes, bytes] = {}
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None

    def ask(self, request: bytes) -> "asyncio.Future[tuple[int, bytes]]":
        """Send a whole request; the future gets status and body.

        The future fails with ConnectionResetError where the connection ended before the answer
        did, and with ConnectionAbortedError where what came is not HTTP.
        """
        self._answer = answer = asyncio.get_running_loop().create_future()
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self.headers = {}
        if self._transport.is_closing():  # uvloop would raise a RuntimeError
            self._fail(ConnectionResetError("the connection was reset before it was asked"))
        else:
            self._transport.write(request)
        return answer

    def close(self) -> None:
        """Close at once."""
        self.is_open = False
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one but in name
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        """Parse; the callbacks below follow."""
        if self._answer is None:
            self.close()  # nothing was asked
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(ConnectionAbortedError(f"what came is not HTTP ({error})"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits."""
        self._fail(ConnectionResetError(str(exc or "the server closed the connection")))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self.headers[name] = value

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Give the answer to who asked."""
        self.is_open = self.is_open and self._parser.should_keep_alive()
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_result((self._parser.get_status_code(), b"".join(self._body)))

    def _fail(self, error: OSError) -> None:
        self.is_open = False
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_exception(error)
