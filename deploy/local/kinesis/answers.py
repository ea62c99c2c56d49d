"""What a handler is given and gives, in ministack's form: a dict in; status, headers, body out."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import msgspec
from ministack.services import kinesis

Request = dict[str, Any]
Stream = dict[str, Any]
Response = tuple[int, dict[str, str], bytes]


class RefusedError(Exception):
    """A request that is answered with an error of Kinesis.

    Attributes:
        code: The error's name, such as ``ResourceNotFoundException``.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def answering(work: Callable[[Request], Any]) -> Callable[[Request], Response]:
    """Make a handler from what returns the answer's content or raises RefusedError."""

    @wraps(work)
    def handle(request: Request) -> Response:
        try:
            content = work(request)
        except RefusedError as error:
            refused: Response = kinesis.error_response_json(error.code, str(error), 400)
            return refused
        return 200, {"Content-Type": "application/x-amz-json-1.1"}, msgspec.json.encode(content)

    return handle


def stream_of(request: Request) -> Stream:
    """Return the stream that a request names.

    Raises:
        RefusedError: There is none of that name.
    """
    name, stream = kinesis._resolve_stream(request)
    if stream is None:
        raise RefusedError("ResourceNotFoundException", f"Stream {name} not found")
    found: Stream = stream
    return found
