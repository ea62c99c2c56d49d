"""Reading and writing rows with asyncio, for Feast's async methods.

The gateway does not use this, but ``async_reader``.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from feature_repo.online.keys import row_field
from feature_repo.online.read_route import ReadRoute
from feature_repo.online.redis_settings import RedisSettings
from feature_repo.online.row_script import WRITE_ROWS_LUA, WRITE_ROWS_SHA, RowScript
from feature_repo.schema import ViewSchema


class AsyncRows:
    """The connections of one event loop to the rows of one Feast project."""

    def __init__(self, settings: RedisSettings, project: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._primary: Any = settings.async_primary()
        self._clients = [self._primary, *settings.async_replicas()]
        self._route: ReadRoute[Redis] = ReadRoute(self._primary, self._clients[1:])
        self._script = RowScript(project)

    def is_of_this_loop(self) -> bool:
        """Return whether the running event loop is the one these connections belong to."""
        return self._loop is asyncio.get_running_loop()

    async def read(self, schema: ViewSchema, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the rows of one view, None where there is none.

        Raises:
            redis.RedisError: Redis did not answer.
        """

        async def question(client: Redis) -> list[bytes | None]:
            pipeline = client.pipeline(transaction=False)
            for key in keys:
                pipeline.hget(key, row_field(schema))  # type: ignore[arg-type]
            answers: list[bytes | None] = await pipeline.execute()
            return answers

        return await self._route.ask_async(question)

    async def write(self, schema: ViewSchema, keys: Sequence[bytes], rows: Sequence[bytes]) -> None:
        """Write rows, each only if none newer is there (see ``RowWriter``).

        Raises:
            redis.RedisError: Redis did not take the rows; writing them again is safe.
        """
        calls = self._script.calls(schema, keys, rows)
        try:
            await self._run(calls)
        except NoScriptError:
            await self._primary.script_load(WRITE_ROWS_LUA)
            await self._run(calls)

    async def _run(self, calls: Sequence[Sequence[Any]]) -> None:
        pipeline = self._primary.pipeline(transaction=False)
        for call in calls:
            pipeline.evalsha(WRITE_ROWS_SHA, *call)
        await pipeline.execute()

    async def close(self) -> None:
        """Close the connections."""
        if self._loop.is_closed():
            return  # they ended with it
        for client in self._clients:
            await client.aclose()
