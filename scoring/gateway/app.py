"""The gateway's routes over the pipeline."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from scoring.gateway import openapi, readiness
from scoring.gateway.admit import admit
from scoring.gateway.decision_log import DecisionLog, Record
from scoring.gateway.errors import GatewayError
from scoring.gateway.held import HeldDecisions
from scoring.gateway.messages import Decision, ErrorBody, RecommendationRequest
from scoring.gateway.metrics import DECISIONS, exposition, observe
from scoring.gateway.pipeline import Pipeline
from scoring.gateway.readiness import Check
from scoring.gateway.stages import StageClock

DISTRIBUTION = "roadside-dispatch-ranking"
_encoder = msgspec.json.Encoder()

_DOCS_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Roadside dispatch ranking</title>
<link rel="stylesheet" href="/docs/assets/swagger-ui.css"></head>
<body><div id="api"></div><script src="/docs/assets/swagger-ui-bundle.js"></script>
<script>SwaggerUIBundle({url: "/openapi.json", dom_id: "#api"})</script></body></html>
"""


@dataclass(frozen=True)
class Gateway:
    """The parts behind the routes."""

    pipeline: Pipeline
    held: HeldDecisions
    log: DecisionLog
    checks: list[Check]
    close: Callable[[], Awaitable[None]]

    async def recommend(self, body: bytes, clock: StageClock) -> Decision:
        """Admit, decide, hold and log; the same request again gets the decision held."""
        with clock.stage("admit"):
            request = admit(body)
            earlier = self.held.same(request)
        return earlier if earlier is not None else await self._decide(request, clock)

    async def _decide(self, request: RecommendationRequest, clock: StageClock) -> Decision:
        decision = await self.pipeline.decide(request, clock)
        self.held.hold(decision)
        self.log.log(lambda: Record(request.event_id, _encoder.encode(decision)))
        observe(decision.answer)
        return decision


def create_app(gateway: Gateway) -> Starlette:
    """Return the ASGI application."""

    async def recommendations(request: Request) -> Response:
        body = await request.body()
        decision = await gateway.recommend(body, StageClock())
        DECISIONS.labels(status="200").inc()
        return _json(decision.answer)

    async def decisions(request: Request) -> Response:
        return _json(gateway.held.get(request.path_params["event_id"]))

    async def readyz(_: Request) -> Response:
        ready, said = await readiness.run(gateway.checks)
        return JSONResponse({"ready": ready, "checks": said}, status_code=200 if ready else 503)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(gateway.log.close)
        await gateway.close()

    return Starlette(
        routes=[
            Route("/v1/recommendations", recommendations, methods=["POST"]),
            Route("/v1/decisions/{event_id}", decisions),
            Route("/healthz", _constant(PlainTextResponse("alive\n"))),
            Route("/readyz", readyz),
            Route("/metrics", _metrics),
            Route(
                "/openapi.json", _constant(JSONResponse(openapi.document(version(DISTRIBUTION))))
            ),
            Route("/docs", _constant(HTMLResponse(_DOCS_PAGE))),
            Mount("/docs/assets", StaticFiles(packages=[("swagger_ui", "static")])),
        ],
        exception_handlers={GatewayError: _refuse},
        lifespan=lifespan,
    )


async def _metrics(_: Request) -> Response:
    return Response(exposition(), media_type=CONTENT_TYPE_LATEST)


async def _refuse(_: Request, error: Exception) -> Response:
    if not isinstance(error, GatewayError):
        raise error
    DECISIONS.labels(status=str(int(error.status))).inc()
    body = ErrorBody(error.message, error.field, error.value, error.remedy)
    return _json(body, status=int(error.status))


def _constant(response: Response) -> Callable[[Request], Response]:
    return lambda _: response


def _json(message: msgspec.Struct, status: int = 200) -> Response:
    return Response(_encoder.encode(message), status_code=status, media_type="application/json")
