"""The gateway's routes over the pipeline."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from scoring.gateway import openapi, readiness
from scoring.gateway.admit import admit, deadline
from scoring.gateway.answers import JSON, encode, refusal
from scoring.gateway.api_keys import ApiKey
from scoring.gateway.auth import RequireKey
from scoring.gateway.circumstances import Circumstances
from scoring.gateway.decision_log import DecisionLog, Record
from scoring.gateway.decision_log.logged_decision import logged_decision
from scoring.gateway.errors import DecisionNotFoundError, GatewayError
from scoring.gateway.held import HeldDecisions, Question
from scoring.gateway.messages import RecommendationRequest
from scoring.gateway.metrics import DECISIONS, exposition, observe
from scoring.gateway.pipeline import Pipeline
from scoring.gateway.pipeline_watch import PipelineWatch
from scoring.gateway.readiness import Check
from scoring.gateway.reloaded import Reloaded, keep_fresh
from scoring.gateway.replies import Replies, Reply
from scoring.gateway.resilience.admission import Admission
from scoring.gateway.resilience.deadline import Deadline
from scoring.gateway.shared_replies import SharedReplies
from scoring.gateway.siblings import Siblings
from scoring.gateway.stages import StageClock
from scoring.gateway.tracing import Tracing

DISTRIBUTION = "roadside-dispatch-ranking"
DEADLINE_HEADER = "x-deadline-ms"

_DOCS_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Roadside dispatch ranking</title>
<link rel="stylesheet" href="/docs/assets/swagger-ui.css"></head>
<body><div id="api"></div><script src="/docs/assets/swagger-ui-bundle.js"></script>
<script>SwaggerUIBundle({url: "/openapi.json", dom_id: "#api"})</script></body></html>
"""


@dataclass(frozen=True)
class Gateway:
    """The parts behind the routes."""

    door: Admission
    pipeline: Pipeline
    watch: PipelineWatch
    replies: Replies
    shared: SharedReplies
    held: HeldDecisions
    siblings: Siblings
    log: DecisionLog
    checks: list[Check]
    keys: Reloaded[list[ApiKey]] | None
    close: Callable[[], Awaitable[None]]
    tracing: Tracing | None = None

    async def recommend(self, body: bytes, clock: StageClock, by: Deadline) -> Reply:
        """Admit, decide, hold and log; the same request again gets the same reply."""
        with clock.stage("admit"):
            request = admit(body)
        return await self.replies.once(
            request, lambda: self._decide(request, clock, by), lambda: self.door.check(by)
        )

    async def _decide(
        self, request: RecommendationRequest, clock: StageClock, by: Deadline
    ) -> Reply:
        async with self.door.place(by):
            circumstances = Circumstances(by, self.door.shedding)
            return await self.shared.once(
                request, lambda: self._decide_here(request, clock, circumstances), by
            )

    async def _decide_here(
        self, request: RecommendationRequest, clock: StageClock, circumstances: Circumstances
    ) -> Reply:
        served = await self.pipeline.decide(request, clock, circumstances)
        self.held.hold(served)
        self.log.log(lambda: Record(request.event_id, encode(logged_decision(served))))
        observe(served.answer)
        return served.reply()

    async def about(self, question: Question) -> bytes:
        """Return what is known of a decision, here or in another process, as JSON.

        Raises:
            DecisionNotFoundError: It is held nowhere.
        """
        found = self.held.about(question) or await self.siblings.ask(question)
        if found is None:
            raise DecisionNotFoundError(
                "the decision is not held: it was never made, or later ones took its place",
                field="event_id",
                value=question.event_id,
                remedy="look into the archive of the decisions stream, which has them all",
            )
        return found

    @property
    def files(self) -> list[Reloaded[Any]]:
        """The files that are taken anew when they change."""
        return [self.pipeline.policy, *([] if self.keys is None else [self.keys])]


def create_app(gateway: Gateway) -> Starlette:
    """Return the ASGI application."""

    async def recommendations(request: Request) -> Response:
        by = deadline(request.headers.get(DEADLINE_HEADER))
        clock = StageClock()
        reply = await gateway.recommend(await request.body(), clock, by)
        DECISIONS.labels(status=str(reply.status)).inc()
        if gateway.tracing is not None:
            gateway.tracing.record(request.headers, clock, reply.status)
        return Response(reply.body, reply.status, media_type=JSON)

    async def about(request: Request) -> Response:
        event_id = request.path_params["event_id"]
        question = Question(event_id, request.path_params.get("provider_id"))
        return Response(await gateway.about(question), media_type=JSON)

    async def readyz(request: Request) -> Response:
        ready, said = await readiness.run(gateway.checks)
        told = {"checks": said} if request.scope["api_key"] is not None else {}
        return JSONResponse({"ready": ready, **told}, status_code=200 if ready else 503)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        gateway.log.start()
        looking = [
            asyncio.create_task(keep_fresh(gateway.files)),
            asyncio.create_task(gateway.watch.run()),
        ]
        async with gateway.siblings.listening(gateway.held.about):
            yield
        for task in looking:
            task.cancel()
        await run_in_threadpool(gateway.log.close)
        await gateway.close()
        if gateway.tracing is not None:
            await run_in_threadpool(gateway.tracing.close)

    return Starlette(
        routes=[
            Route("/v1/recommendations", recommendations, methods=["POST"]),
            Route("/v1/decisions/{event_id}", about),
            Route("/v1/decisions/{event_id}/providers/{provider_id}", about),
            Route("/healthz", _constant(PlainTextResponse("alive\n"))),
            Route("/readyz", readyz),
            Route("/metrics", _metrics),
            Route(
                "/openapi.json", _constant(JSONResponse(openapi.document(version(DISTRIBUTION))))
            ),
            Route("/docs", _constant(HTMLResponse(_DOCS_PAGE))),
            Mount("/docs/assets", StaticFiles(packages=[("swagger_ui", "static")])),
        ],
        middleware=[Middleware(RequireKey, keys=gateway.keys)],
        exception_handlers={GatewayError: _refuse},
        lifespan=lifespan,
    )


async def _metrics(_: Request) -> Response:
    return Response(exposition(), media_type=CONTENT_TYPE_LATEST)


async def _refuse(_: Request, error: Exception) -> Response:
    if not isinstance(error, GatewayError):
        raise error
    DECISIONS.labels(status=str(int(error.status))).inc()
    return refusal(error)


def _constant(response: Response) -> Callable[[Request], Response]:
    return lambda _: response
