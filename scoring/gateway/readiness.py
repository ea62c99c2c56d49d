"""Readiness: each dependency is asked, and the answer says which one is not there."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx2
from redis import RedisError

from feature_repo.online.keys import geo_index_key
from feature_repo.online.read_route import ReadRoute
from feature_repo.online.reader import Beacon
from feature_repo.online.wire import Wire
from feature_repo.schema import STREAM_VIEWS

PING_S = 1.0


@dataclass(frozen=True)
class Check:
    """One dependency: its name, whether it is needed to answer, and how it is asked."""

    name: str
    needed: bool
    ask: Callable[[], Awaitable[str]]


class NotReadyError(Exception):
    """A dependency is not there; the message is for the operator."""


async def run(checks: list[Check]) -> tuple[bool, dict[str, str]]:
    """Ask every dependency.

    Returns:
        Whether all the needed ones answered, and by name what each said.
    """
    ready, said = True, {}
    for check in checks:
        try:
            said[check.name] = await check.ask()
        except NotReadyError as error:
            said[check.name] = f"not ready: {error}"
            ready = ready and not check.needed
    return ready, said


def redis_check(route: ReadRoute[Wire], project: str) -> Check:
    """Ask Redis, and whether any provider has a position."""
    key = geo_index_key(project).encode()

    async def ask() -> str:
        try:
            (known,) = await route.ask_async(lambda wire: wire.ask(b"ZCARD %b\r\n" % key, 1))
        except RedisError as error:
            raise NotReadyError(str(error)) from error
        if not known:
            raise NotReadyError("no provider has a position yet; is the motion job running?")
        return f"{known} providers with a position"

    return Check("feature_store", needed=True, ask=ask)


def pipelines_check(
    beacons: Callable[[], Awaitable[dict[str, Beacon]]], now_us: Callable[[], int]
) -> Check:
    """Tell how far behind each stream view's pipeline is."""

    async def ask() -> str:
        try:
            seen = await beacons()
        except RedisError as error:
            raise NotReadyError(str(error)) from error
        return "; ".join(
            _progress(view.name, seen.get(view.name), now_us()) for view in STREAM_VIEWS
        )

    return Check("pipelines", needed=False, ask=ask)


def _progress(view: str, beacon: Beacon | None, now_us: int) -> str:
    if beacon is None:
        return f"{view} has no job"
    if beacon.watermark_us == 0:
        return f"{view} has no event yet"
    return f"{view} {(now_us - beacon.watermark_us) / 1e6:.0f} s behind"


def endpoint_check(ping_url: str) -> Check:
    """Ask the model endpoint; without it the bundle in process answers, so it is not needed."""

    async def ask() -> str:
        try:
            async with httpx2.AsyncClient(timeout=PING_S) as client:
                status = (await client.get(ping_url)).status_code
        except httpx2.HTTPError as error:
            raise NotReadyError(f"{ping_url}: {error}") from error
        if status != httpx2.codes.OK:
            raise NotReadyError(f"{ping_url}: HTTP {status}")
        return "answers /ping"

    return Check("endpoint", needed=False, ask=ask)
