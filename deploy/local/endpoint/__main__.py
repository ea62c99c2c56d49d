"""Starts the stand-in: ``python -m deploy.local.endpoint --help``."""

import argparse
import os
import shlex
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import boto3
import httpx2
import uvicorn
from starlette.applications import Starlette

from deploy.local.emulator import AWS_ENVIRONMENT
from deploy.local.endpoint.app import create_app
from deploy.local.endpoint.instances import Starter
from deploy.local.endpoint.resources import Resources
from deploy.local.endpoint.service import Service
from deploy.local.endpoint.watch import Watch
from deploy.local.ports import HOST
from deploy.names import ENDPOINT
from deploy.promotion.storage import Storage

RANKER = "ranker"
SERVE = f"{shlex.quote(sys.executable)} -m scoring.endpoint.serve"
RANKER_COMMAND = f"{SERVE} --model-dir {{model_dir}} --port {{port}}"
MODEL_S = 60.0
"""How long SageMaker waits for a container's answer."""
USAGE_ERROR = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; return the exit code."""
    options = _parse(arguments)
    try:
        listener = socket.create_server((HOST, options.port), backlog=2048)
    except OSError as error:
        sys.stderr.write(
            f"error: cannot listen on {HOST}:{options.port} ({os.strerror(error.errno or 0)}); "
            "choose another with --port\n"
        )
        return USAGE_ERROR
    for name, value in AWS_ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    app = _app(options.directory, dict(options.image), options.emulator_url)
    with listener:
        uvicorn.Server(
            uvicorn.Config(app, log_level="warning", access_log=False, loop="uvloop")
        ).run(sockets=[listener])
    return 0


def _app(directory: Path, images: dict[str, str], emulator_url: str) -> Starlette:
    storage = Storage(boto3.client("s3", endpoint_url=emulator_url))
    cloudwatch = boto3.client("cloudwatch", endpoint_url=emulator_url)
    resources = Resources()
    client = httpx2.AsyncClient(timeout=MODEL_S)
    known = {RANKER: RANKER_COMMAND, **images}
    starter = Starter(directory, known, resources.models, storage, client)
    service = Service(resources, starter, cloudwatch)
    return create_app(resources, service, Watch(ENDPOINT, cloudwatch, storage), client)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.local.endpoint",
        description="Stand in for SageMaker: InvokeEndpoint and the operations of a promotion, "
        "over real model processes. Needs the emulator for CloudWatch and S3 "
        "(python -m deploy.local.endpoint.emulator).",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=18090, help="on 127.0.0.1")
    parser.add_argument("--emulator-url", required=True, help="where CloudWatch and S3 are")
    parser.add_argument(
        "--directory", type=Path, required=True, help="for unpacked models and logs"
    )
    parser.add_argument(
        "--image",
        type=_image,
        action="append",
        default=[],
        metavar="NAME=COMMAND",
        help=f"another container image: what starts it, with {{model_dir}} and {{port}}; "
        f"{RANKER!r} is there",
    )
    return parser.parse_args(arguments)


def _image(text: str) -> tuple[str, str]:
    name, equals, command = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=COMMAND")
    return name, command


if __name__ == "__main__":
    sys.exit(main())
