"""A container whose model is right and that serves it badly: slowly, or not for long.

python -m benchmarks.promotion.bad_server --model-dir DIR --port 8080 --delay-s 0.4
python -m benchmarks.promotion.bad_server --model-dir DIR --port 8080 --crash-after 20
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from scoring.endpoint.bundle import load_scorer
from scoring.endpoint.server import create_app

HOST = "127.0.0.1"
CRASHED = 70


class Bad:
    """Serves as another application does, but late, or until it crashes.

    Args:
        app: The other application.
        delay_s: How late each answer begins.
        crash_after: How many questions it answers; the next one ends the process.
    """

    def __init__(self, app: ASGIApp, delay_s: float, crash_after: int | None) -> None:
        self._app = app
        self._delay_s = delay_s
        self._left = crash_after

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, a ping as it should be."""
        if scope["type"] == "http" and scope["path"].endswith("/invocations"):
            await self._go_wrong()
        serve: Callable[[Scope, Receive, Send], Awaitable[None]] = self._app
        await serve(scope, receive, send)

    async def _go_wrong(self) -> None:
        if self._left is not None:
            if self._left == 0:
                os._exit(CRASHED)
            self._left -= 1
        await asyncio.sleep(self._delay_s)


def main() -> int:
    """Serve until SIGTERM, or the crash."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model-dir", type=Path, required=True, help="the bundle's directory")
    parser.add_argument("--port", type=int, required=True, help="on 127.0.0.1")
    parser.add_argument("--delay-s", type=float, default=0.0, help="how late each answer begins")
    parser.add_argument("--crash-after", type=int, help="questions it answers before it ends")
    options = parser.parse_args()
    app = create_app(load_scorer(options.model_dir))
    bad = Bad(app, options.delay_s, options.crash_after)
    uvicorn.run(bad, host=HOST, port=options.port, log_level="warning", access_log=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
