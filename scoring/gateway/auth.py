"""Lets nobody in without a valid API key, but for what a load balancer asks."""

import base64
import binascii

from prometheus_client import Counter
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from scoring.gateway.answers import refusal
from scoring.gateway.api_keys import ApiKey, name_of
from scoring.gateway.errors import UnauthorizedError
from scoring.gateway.reloaded import Reloaded

OPEN_PATHS = frozenset({"/healthz", "/readyz"})
"""A load balancer has no key. Without one, ``/readyz`` says yes or no and nothing else."""

KEY_REQUESTS = Counter("gateway_api_key_requests_total", "Requests let in, by the key.", ["key"])


class RequireKey:
    """ASGI middleware; puts the key's name into ``scope["api_key"]``, None without a key.

    Args:
        app: What is behind it.
        keys: The valid keys; None lets everybody in, as the name "".
    """

    def __init__(self, app: ASGIApp, keys: Reloaded[list[ApiKey]] | None) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; refuse it without a valid key."""
        app = self._app
        if scope["type"] == "http":
            scope["api_key"] = name = self._name(HTTPConnection(scope))
            if name is None and scope["path"] not in OPEN_PATHS:
                app = refusal(_unauthorized())
        await app(scope, receive, send)

    def _name(self, connection: HTTPConnection) -> str | None:
        if self._keys is None:
            return ""
        name = name_of(_presented(connection), self._keys.value)
        if name is not None:
            KEY_REQUESTS.labels(key=name).inc()
        return name


def _unauthorized() -> UnauthorizedError:
    return UnauthorizedError(
        "has no valid API key",
        field="Authorization",
        value="not told",
        remedy='send "Authorization: Bearer KEY" with a key that operations gave you',
    )


def _presented(connection: HTTPConnection) -> str:
    """Return the key of a request: a bearer token, or the password of a browser's question."""
    scheme, _, credentials = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(credentials, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""
