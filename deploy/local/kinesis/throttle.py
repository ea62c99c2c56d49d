"""Refusing on demand, so that tests see what a busy shard does to readers and writers.

A stream's tag ``throttle:<operation>`` holds the time, epoch seconds, until which the operation is
refused. Being a tag, it is set through the same API as everything else.
"""

import time
from collections.abc import Callable

from ministack.services import kinesis

from deploy.local.kinesis.answers import RefusedError, Request, Response, Stream

TAG = "throttle:"
CODE = "ProvisionedThroughputExceededException"
MESSAGE = "Rate exceeded for shard"


def is_throttled(stream: Stream, operation: str) -> bool:
    """Return whether a stream refuses an operation now."""
    until_s = stream["tags"].get(TAG + operation)
    return until_s is not None and time.time() < float(until_s)


def check(stream: Stream, operation: str) -> None:
    """Raise RefusedError if a stream refuses an operation now."""
    if is_throttled(stream, operation):
        raise RefusedError(CODE, f"{MESSAGE} in stream {stream['StreamName']}")


def refusing(
    operation: str, handler: Callable[[Request], Response]
) -> Callable[[Request], Response]:
    """Return one of ministack's own handlers that refuses while the stream it is asked of does."""

    def handle(request: Request) -> Response:
        _, stream = kinesis._resolve_stream(request)
        if stream is not None and is_throttled(stream, operation):
            refused: Response = kinesis.error_response_json(CODE, MESSAGE, 400)
            return refused
        return handler(request)

    return handle
