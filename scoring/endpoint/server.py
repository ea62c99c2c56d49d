"""The SageMaker container contract over HTTP: ``GET /ping`` and ``POST /invocations``.

Scoring runs on the event loop's own thread: a request is a few milliseconds of computation and
no waiting, and CatBoost holds the interpreter's lock, so a thread pool would add a hop and win
nothing. More cores are more worker processes (``serve --workers``).
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from scoring.endpoint import json_protocol, protocol
from scoring.endpoint.bundle import load_scorer
from scoring.endpoint.collector import collect_seldom
from scoring.endpoint.errors import (
    NotAcceptableError,
    PayloadTooLargeError,
    RequestError,
    UnsupportedContentTypeError,
)
from scoring.endpoint.scorer import Scorer

MAX_BODY_BYTES = 6 * 1024 * 1024
"""Ten times ``protocol.MAX_ROWS`` candidates, and no more than SageMaker lets through."""

MODEL_DIR_VARIABLE = "SM_MODEL_DIR"
"""SageMaker's name for the directory into which it unpacked ``model.tar.gz``."""

_DECODERS = {
    protocol.CONTENT_TYPE: protocol.decode_request,
    json_protocol.CONTENT_TYPE: json_protocol.decode_request,
}
_ENCODERS = {
    protocol.CONTENT_TYPE: protocol.encode_response,
    json_protocol.CONTENT_TYPE: json_protocol.encode_response,
}
_ANYTHING = {"", "*/*", "application/*"}


def create_app(scorer: Scorer) -> Starlette:
    """Return the endpoint's application; it is ready once its lifespan has begun."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        scorer.warm_up()
        app.state.ready = True
        yield
        app.state.ready = False

    app = Starlette(
        routes=[
            Route("/ping", ping, methods=["GET"]),
            Route("/invocations", invocations, methods=["POST"]),
            # The path of the SageMaker runtime API, in front of a container on AWS. With it here
            # too, a local process is called by the same client with nothing but another address.
            Route("/endpoints/{name}/invocations", invocations, methods=["POST"]),
        ],
        exception_handlers={RequestError: _refusal},
        lifespan=lifespan,
    )
    app.state.scorer = scorer
    app.state.ready = False
    return app


def app_from_environment() -> Starlette:
    """Return the application for the bundle in ``SM_MODEL_DIR``; each worker process calls it."""
    app = create_app(load_scorer(Path(os.environ[MODEL_DIR_VARIABLE])))
    collect_seldom()
    return app


async def ping(request: Request) -> Response:
    """Answer 200 when the bundle is loaded and a warm-up was scored, else 503."""
    ready: bool = request.app.state.ready
    scorer: Scorer = request.app.state.scorer
    body = {
        "status": "ready" if ready else "not ready",
        "bundle_version": scorer.manifest.version,
        "features_fingerprint": scorer.manifest.features_fingerprint,
    }
    return _json(body, status=200 if ready else 503)


async def invocations(request: Request) -> Response:
    """Score the candidates of one request."""
    content_type = _media_type(request.headers.get("content-type", ""))
    decode = _DECODERS.get(content_type)
    if decode is None:
        raise UnsupportedContentTypeError(
            "is not read here",
            field="Content-Type",
            value=content_type,
            remedy=f"send {' or '.join(_DECODERS)}",
        )
    accept = _accepted(request.headers.get("accept", ""), content_type)
    matrix, explain_rows = decode(await _body(request))
    scorer: Scorer = request.app.state.scorer
    answer = _ENCODERS[accept](scorer.score(matrix, explain_rows))
    return Response(answer, media_type=accept)


def _media_type(header: str) -> str:
    return header.split(";", 1)[0].strip().lower()


def _accepted(header: str, content_type: str) -> str:
    """Return the form of the answer: the first one asked for that we write."""
    for part in header.split(","):
        media_type = _media_type(part)
        if media_type in _ANYTHING:
            return content_type
        if media_type in _ENCODERS:
            return media_type
    raise NotAcceptableError(
        "is not written here", field="Accept", value=header, remedy=f"ask for {content_type}"
    )


async def _body(request: Request) -> bytes:
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > MAX_BODY_BYTES:
        raise _too_large(declared)
    chunks = []
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > MAX_BODY_BYTES:
            raise _too_large(received)
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large(size: object) -> PayloadTooLargeError:
    return PayloadTooLargeError(
        f"is more than {MAX_BODY_BYTES} bytes",
        field="body",
        value=f"{size} bytes",
        remedy=f"send at most {protocol.MAX_ROWS} candidates a request",
    )


async def _refusal(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)
    body = {
        "code": type(error).__name__,
        "message": str(error),
        "field": error.field,
        "value": error.value,
        "remedy": error.remedy,
    }
    return _json(body, status=error.status)


def _json(body: dict[str, str], status: int) -> Response:
    return Response(msgspec.json.encode(body), status_code=status, media_type="application/json")
