"""Starts the gateway: ``python -m scoring.gateway.serve --help``."""

import argparse
import json
import logging
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from uvicorn.supervisors import Multiprocess

from feature_repo.bundle_manifest import BundleError
from feature_repo.online.redis_settings import RedisSettingsError
from scoring.endpoint.collector import collect_seldom
from scoring.gateway.app import create_app
from scoring.gateway.assembly import REDIS_PASSWORD_VARIABLE, assemble
from scoring.gateway.decision_log.spill import SPILL_BYTES_AT_MOST
from scoring.gateway.errors import ConfigurationError
from scoring.gateway.metrics import PROMETHEUS_VARIABLE, SHARED_DIRECTORY_VARIABLE
from scoring.gateway.pipeline import ALL_FEATURES_SHARE
from scoring.gateway.policy.file import DEFAULT_POLICY

ARGUMENTS_VARIABLE = "GATEWAY_ARGUMENTS"
"""The command line as JSON, for the worker processes."""
BACKLOG = 2048
GRACE_S = 5
"""How long requests under way have after SIGTERM; none takes a second."""
KEEP_ALIVE_S = 75
"""How long a connection waits for its next request; longer than a load balancer in front keeps it,
which else sends a request on a connection that is just being closed."""
SWITCH_S = 0.0005
"""For so long one thread keeps the interpreter while another wants it. Python's own 5 ms is what a
request would wait for the decision log's thread at each of its turns."""
USAGE_ERROR = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the gateway until SIGINT or SIGTERM; return the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    options = parse(arguments)
    _log_to_stderr()
    try:
        listener = socket.create_server((options.host, options.port), backlog=BACKLOG)
    except OSError as error:
        return _fail(
            f"cannot listen on {options.host}:{options.port} "
            f"({os.strerror(error.errno or 0)}); choose another with --port"
        )
    try:
        app = create_app(assemble(options))
    except (ConfigurationError, BundleError, RedisSettingsError) as error:
        return _fail(str(error))
    with listener:
        if options.workers == 1:
            _prepare()
            uvicorn.Server(_config(app)).run(sockets=[listener])
        else:
            _run_workers(arguments, options.workers, listener)
    return 0


def app_from_environment() -> Starlette:
    """Return the application of a worker process."""
    _log_to_stderr()
    app = create_app(assemble(parse(json.loads(os.environ[ARGUMENTS_VARIABLE]))))
    _prepare()
    return app


def _prepare() -> None:
    """Keep what is not a request's out of the requests' way."""
    collect_seldom()
    sys.setswitchinterval(SWITCH_S)


def _run_workers(arguments: Sequence[str], workers: int, listener: socket.socket) -> None:
    """Run processes that share the port; their metrics meet in files."""
    os.environ[ARGUMENTS_VARIABLE] = json.dumps(list(arguments))
    # uvicorn ends its workers on SIGTERM and then raises it again; ended as asked is a success.
    signal.signal(signal.SIGTERM, lambda *_: None)
    with tempfile.TemporaryDirectory(prefix="gateway-metrics-") as metrics:
        os.environ[PROMETHEUS_VARIABLE] = os.environ[SHARED_DIRECTORY_VARIABLE] = metrics
        Multiprocess(
            _config("scoring.gateway.serve:app_from_environment", workers), [listener]
        ).run()


def _config(app: Starlette | str, workers: int = 1) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        factory=isinstance(app, str),
        workers=workers,
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
        proxy_headers=False,  # nothing asks who the client is
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=KEEP_ALIVE_S,
    )


def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # a line for each ping is noise


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the options of the command line."""
    return _parser().parse_args(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scoring.gateway.serve",
        description="Answers POST /v1/recommendations; the API is described at /docs. "
        f"The store's password, if it is not in its URL, is ${REDIS_PASSWORD_VARIABLE}.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=18000, help="port to listen on")
    parser.add_argument("--workers", type=_workers, default=1, help="processes; one a core")
    parser.add_argument("--redis-url", default="redis://127.0.0.1:16379/0", help="online store")
    parser.add_argument(
        "--redis-replica-url", action="append", default=[], help="a replica to read from; repeat it"
    )
    parser.add_argument("--redis-ca-file", help="authority of the store's certificate (rediss://)")
    parser.add_argument("--project", default="roadside", help="Feast project")
    parser.add_argument("--bundle", type=Path, required=True, help="model bundle, the fallback")
    parser.add_argument("--endpoint-name", default="dispatch-ranker", help="SageMaker endpoint")
    parser.add_argument("--endpoint-url", help="where the endpoint is, if not on AWS")
    parser.add_argument("--kinesis-url", help="where Kinesis is, if not on AWS")
    parser.add_argument("--decisions-stream", default="decisions", help="the decision log")
    parser.add_argument(
        "--spill-dir",
        type=Path,
        help="where decisions wait while the stream refuses them; left out, those are dropped",
    )
    parser.add_argument(
        "--spill-bytes", type=int, default=SPILL_BYTES_AT_MOST, help="what may wait there"
    )
    parser.add_argument(
        "--all-features-share",
        type=_share,
        default=ALL_FEATURES_SHARE,
        help="share of the decisions whose log has every candidate's features",
    )
    parser.add_argument(
        "--trace-share", type=float, default=0.0, help="of the requests, 0 to 1; 0 traces none"
    )
    parser.add_argument(
        "--trace-url",
        default="http://127.0.0.1:4318/v1/traces",
        help="a collector of OpenTelemetry traces, OTLP over HTTP",
    )
    parser.add_argument("--region", default="us-east-1", help="AWS region")
    parser.add_argument("--policy", type=Path, default=DEFAULT_POLICY, help="policy file")
    parser.add_argument(
        "--api-keys",
        type=Path,
        help="key file (python -m scoring.gateway.make_key); can be left out on a loopback address",
    )
    return parser


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{share} is no share; use 0 to 1")
    return share


def _workers(text: str) -> int:
    workers = int(text)
    if workers < 1:
        raise argparse.ArgumentTypeError(f"{workers} processes cannot serve; use 1 or more")
    return workers


def _fail(message: str) -> int:
    sys.stderr.write(f"gateway: {message}\n")
    return USAGE_ERROR


if __name__ == "__main__":
    sys.exit(main())
