"""The stand-in over HTTP: ``InvokeEndpoint`` and the control plane on one port."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deploy.local.endpoint.instances import Fleet
from deploy.local.endpoint.resources import ApiError, Resources
from deploy.local.endpoint.service import Service
from deploy.local.endpoint.watch import Watch

VARIANT_HEADER = "x-Amzn-Invoked-Production-Variant"
MODEL_ERROR, NOT_READY = 424, 503
SERVER_ERROR = 500
_PASSED_ON = ("content-type", "accept")


class Runtime:
    """Answers requests with the fleet in service.

    Args:
        service: The endpoint.
        watch: Notes what was asked and answered.
        client: Asks the instances.
    """

    def __init__(self, service: Service, watch: Watch, client: httpx2.AsyncClient) -> None:
        self._service = service
        self._watch = watch
        self._client = client
        self._mirrored: set[asyncio.Task[httpx2.Response | None]] = set()

    async def invoke(self, request: Request) -> Response:
        """``InvokeEndpoint``."""
        fleet, body = self._service.fleet, await request.body()
        if fleet is None:
            return JSONResponse({"Message": "no fleet is in service"}, NOT_READY)
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        captured = random.random() * 100 < _capture_percent(fleet)
        if fleet.shadow is not None:
            asked = self._ask(fleet, fleet.shadow, body, headers, captured=captured)
            mirror = asyncio.create_task(asked)
            self._mirrored.add(mirror)
            mirror.add_done_callback(self._mirrored.discard)
        variant = fleet.choose()
        answer = await self._ask(fleet, variant, body, headers, captured=captured)
        told = {VARIANT_HEADER: variant}
        if answer is None or answer.status_code >= SERVER_ERROR:
            message = f"variant {variant!r} did not answer as it should"
            return JSONResponse({"Message": message}, MODEL_ERROR, headers=told)
        media_type = answer.headers.get("content-type")
        return Response(answer.content, answer.status_code, headers=told, media_type=media_type)

    async def _ask(
        self, fleet: Fleet, variant: str, body: bytes, headers: dict[str, str], *, captured: bool
    ) -> httpx2.Response | None:
        """Ask a variant and note what came of it; None is no answer."""
        began = time.perf_counter()
        url = f"{fleet.instances[variant].url}/invocations"
        try:
            answer = await self._client.post(url, content=body, headers=headers)
        except httpx2.HTTPError:
            answer = None
        failed = answer is None or answer.status_code >= SERVER_ERROR
        self._watch.note(variant, time.perf_counter() - began, failed=failed)
        if captured and answer is not None and not failed:
            self._watch.capture(fleet.config, variant, body, answer.content)
        return answer


def _capture_percent(fleet: Fleet) -> float:
    capture = fleet.config.get("DataCaptureConfig", {})
    percent: float = capture.get("InitialSamplingPercentage", 0)
    return percent if capture.get("EnableCapture") else 0


def _refused(error: ApiError) -> Response:
    return JSONResponse({"__type": error.code, "message": str(error)}, 400)


def create_app(
    resources: Resources, service: Service, watch: Watch, client: httpx2.AsyncClient
) -> Starlette:
    """Return the application."""
    runtime = Runtime(service, watch, client)
    operations = {
        **resources.operations,
        "CreateEndpoint": service.create,
        "UpdateEndpoint": service.update,
        "DescribeEndpoint": service.describe,
    }

    async def control(request: Request) -> Response:
        operation = request.headers.get("x-amz-target", "").rpartition(".")[2]
        if operation not in operations:
            return _refused(ApiError(f"{operation!r} is not known here", "UnknownOperation"))
        try:
            return JSONResponse(operations[operation](json.loads(await request.body())))
        except ApiError as error:
            return _refused(error)

    async def ping(_: Request) -> Response:
        return Response(status_code=NOT_READY if service.fleet is None else 200)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        flushing = asyncio.create_task(watch.run())
        yield
        flushing.cancel()
        with suppress(asyncio.CancelledError):
            await flushing
        await service.stop()
        await client.aclose()

    return Starlette(
        routes=[
            Route("/", control, methods=["POST"]),
            Route("/ping", ping, methods=["GET"]),
            Route("/endpoints/{name}/invocations", runtime.invoke, methods=["POST"]),
        ],
        lifespan=lifespan,
    )
