"""The SageMaker endpoint over kept connections: what boto3 sends, for a tenth of what it costs.

The address is the only difference between an endpoint on AWS and a local process: the path, the
headers and the signature are those of the SageMaker runtime API.
"""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from scoring.endpoint.protocol import CONTENT_TYPE
from scoring.gateway.http_connection import HttpConnection
from scoring.gateway.resilience.metrics import RETRIES
from scoring.gateway.resilience.retry_budget import RetryBudget
from scoring.gateway.score import Answered, EndpointError
from scoring.gateway.signing import Signer

CONNECT_S = 0.2
ANSWER_S = 0.5
IDLE_CONNECTIONS = 64
"""Kept beyond the requests under way; what is more is closed after its answer."""
VARIANT_HEADERS = (b"x-Amzn-Invoked-Production-Variant", b"x-amzn-invoked-production-variant")
"""As AWS documents it, and as HTTP/1.1 servers that write all names small send it."""
_OK = 200
_SHOWN_BYTES = 300


@dataclass(frozen=True)
class Address:
    """Where an endpoint's runtime API is."""

    host: str
    port: int
    tls: bool

    @classmethod
    def of(cls, url: str) -> Self:
        """Return the address in a URL such as ``https://runtime.sagemaker.eu-west-1...``."""
        parts = urlsplit(url)
        tls = parts.scheme == "https"
        return cls(parts.hostname or "127.0.0.1", parts.port or (443 if tls else 80), tls)


class EndpointClient:
    """Calls one endpoint; belongs to the event loop in which it is first used.

    Args:
        url: Of the runtime API.
        endpoint_name: In it.
        signer: Signs requests.
        retries: What calls may be made again, where a kept connection had ended.
        answer_s: How long an answer may take.
    """

    def __init__(
        self,
        url: str,
        endpoint_name: str,
        signer: Signer,
        retries: RetryBudget,
        answer_s: float = ANSWER_S,
    ) -> None:
        self._address = Address.of(url)
        self._host = urlsplit(url).netloc
        self._path = f"/endpoints/{endpoint_name}/invocations"
        self._name = endpoint_name
        self._signer = signer
        self._retries = retries
        self._answer_s = answer_s
        self._idle: list[HttpConnection] = []
        self._tls = ssl.create_default_context() if self._address.tls else None

    async def invoke(self, body: bytes) -> Answered:
        """Return the answer.

        Raises:
            EndpointError: No answer, not in time, or not 200.
        """
        request = self._request(body)
        try:
            async with asyncio.timeout(self._answer_s):
                status, answer = await self._exchange(request)
        except TimeoutError as error:
            raise self._failed(f"no answer in {self._answer_s:g} s") from error
        except OSError as error:
            raise self._failed(str(error)) from error
        if status != _OK:
            told = answer.body[:_SHOWN_BYTES].decode(errors="replace")
            raise self._failed(f"HTTP {status}: {told}")
        return answer

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while self._idle:
            self._idle.pop().close()

    async def _exchange(self, request: bytes) -> tuple[int, Answered]:
        """Ask over a kept connection; once more over a new one if that had ended unseen."""
        self._retries.request()
        kept = self._kept()
        if kept is not None:
            try:
                return await self._ask(kept, request)
            except ConnectionResetError:
                if not self._retries.take():
                    raise
                RETRIES.labels(dependency="endpoint").inc()
        return await self._ask(await self._connect(), request)

    async def _ask(self, connection: HttpConnection, request: bytes) -> tuple[int, Answered]:
        try:
            status, body = await connection.ask(request)
        except BaseException:
            connection.close()  # an answer that nobody reads must not meet the next question
            raise
        if connection.is_open and len(self._idle) < IDLE_CONNECTIONS:
            self._idle.append(connection)
        else:
            connection.close()
        return status, Answered(body, _variant(connection.headers))

    def _kept(self) -> HttpConnection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open:
                return connection
        return None

    async def _connect(self) -> HttpConnection:
        async with asyncio.timeout(CONNECT_S):
            _, connection = await asyncio.get_running_loop().create_connection(
                HttpConnection, self._address.host, self._address.port, ssl=self._tls
            )
        return connection

    def _request(self, body: bytes) -> bytes:
        headers = {"Content-Type": CONTENT_TYPE, "Accept": CONTENT_TYPE}
        headers |= self._signer.headers(self._host, self._path, headers, body)
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
        head = (
            f"POST {self._path} HTTP/1.1\r\nHost: {self._host}\r\n"
            f"{lines}Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    def _failed(self, reason: str) -> EndpointError:
        return EndpointError(f"endpoint {self._name!r}: {reason}")


def _variant(headers: Mapping[bytes, bytes]) -> str:
    return next((headers[name].decode() for name in VARIANT_HEADERS if name in headers), "")
