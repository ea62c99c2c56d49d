"""Messages and refusals as HTTP responses."""

from http import HTTPStatus

import msgspec
from starlette.responses import Response

from scoring.gateway.errors import GatewayError
from scoring.gateway.messages import ErrorBody

JSON = "application/json"
CHALLENGE = 'Bearer, Basic realm="any user, the API key as password"'
"""The second is what makes a browser ask, for ``/docs``."""
RETRY_AFTER_S = 1
"""A breaker probes and a limit adapts within it."""

_RETRY = {"Retry-After": str(RETRY_AFTER_S)}
_HEADERS = {
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": CHALLENGE},
    HTTPStatus.TOO_MANY_REQUESTS: _RETRY,
    HTTPStatus.SERVICE_UNAVAILABLE: _RETRY,
}
_encoder = msgspec.json.Encoder()


def encode(message: msgspec.Struct) -> bytes:
    """Return a message as JSON."""
    return _encoder.encode(message)


def refusal(error: GatewayError) -> Response:
    """Return a refusal as a response."""
    return Response(encode(error_body(error)), int(error.status), _HEADERS.get(error.status), JSON)


def error_body(error: GatewayError) -> ErrorBody:
    """Return a refusal as its message."""
    return ErrorBody(error.message, error.field, error.value, error.remedy)
