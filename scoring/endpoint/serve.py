"""Starts the scoring endpoint: ``python -m scoring.endpoint.serve --model-dir DIR``."""

import argparse
import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import uvicorn
from uvicorn.supervisors import Multiprocess

from scoring.endpoint.bundle import load_scorer
from scoring.endpoint.collector import collect_seldom
from scoring.endpoint.errors import BundleError
from scoring.endpoint.server import MODEL_DIR_VARIABLE, create_app

DRAIN_S = 25
"""SageMaker kills a container 30 s after SIGTERM; requests under way have this long."""

USAGE_ERROR = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; return the process's exit code."""
    options = _parse(arguments)
    try:
        scorer = load_scorer(options.model_dir)
    except BundleError as error:
        return _fail(str(error))
    try:
        listener = socket.create_server((options.host, options.port), backlog=2048)
    except OSError as error:
        return _fail(
            f"cannot listen on {options.host}:{options.port} ({os.strerror(error.errno or 0)}); "
            "end what holds the port or choose another with --port (0 takes any free one)"
        )
    host, port = listener.getsockname()[:2]
    sys.stdout.write(f"scoring endpoint: bundle {scorer.manifest.version}, http://{host}:{port}\n")
    sys.stdout.flush()
    # uvicorn drains on SIGTERM, then raises the signal again; ended as asked is a success.
    signal.signal(signal.SIGTERM, lambda *_: None)
    with listener, suppress(KeyboardInterrupt):
        if options.workers == 1:
            collect_seldom()
            config = _config(create_app(scorer))
            uvicorn.Server(config).run(sockets=[listener])
        else:
            os.environ[MODEL_DIR_VARIABLE] = str(options.model_dir)
            config = _config("scoring.endpoint.server:app_from_environment", options.workers)
            Multiprocess(config, [listener]).run()
    return 0


def _config(app: object, workers: int = 1) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]  # an ASGI application or the import string of a factory
        factory=isinstance(app, str),
        workers=workers,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
        proxy_headers=False,  # nothing asks who the client is
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,  # longer than a gateway keeps an idle connection in its pool
        timeout_graceful_shutdown=DRAIN_S,
    )


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m scoring.endpoint.serve",
        description="Serve a model bundle as a SageMaker container does: /ping and /invocations.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--model-dir",
        type=Path,
        default=Path(os.environ.get(MODEL_DIR_VARIABLE, "/opt/ml/model")),
        help="the bundle's directory, unpacked",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=_port, default=8080, help="0 takes any free port")
    parser.add_argument("--workers", type=_workers, default=1, help="processes; one a core")
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{port} is not a port; use 0 to 65535")
    return port


def _workers(text: str) -> int:
    workers = int(text)
    if workers < 1:
        raise argparse.ArgumentTypeError(f"{workers} processes cannot serve; use 1 or more")
    return workers


def _fail(message: str) -> int:
    sys.stderr.write(f"error: {message}\n")
    return USAGE_ERROR


if __name__ == "__main__":
    sys.exit(main())
