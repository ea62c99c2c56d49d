"""Starts the gateway: ``python -m scoring.gateway.serve --help``."""

import argparse
import logging
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

import botocore.session
import uvicorn
from botocore.config import Config
from starlette.applications import Starlette

from feature_repo.bundle_manifest import BundleError
from feature_repo.online.read_route import ReadRoute
from feature_repo.online.reader import AsyncFeatureReader
from feature_repo.online.redis_settings import RedisSettings, RedisSettingsError
from feature_repo.online.wire import wires
from scoring.endpoint.bundle import load_scorer
from scoring.gateway.app import Gateway, create_app
from scoring.gateway.decision_log import DecisionLog
from scoring.gateway.endpoint_client import EndpointClient
from scoring.gateway.errors import ConfigurationError
from scoring.gateway.held import HeldDecisions
from scoring.gateway.pipeline import Pipeline
from scoring.gateway.policy.file import DEFAULT_POLICY, reloaded_policy
from scoring.gateway.policy.first_places import FirstPlaces
from scoring.gateway.readiness import endpoint_check, pipelines_check, redis_check
from scoring.gateway.retrieve import Retriever
from scoring.gateway.score import EndpointScorer, ScoreLadder
from scoring.gateway.signing import Signer

RUNTIME = "sagemaker-runtime"
KINESIS_CONNECT_S = 0.2
KINESIS_READ_S = 0.5
REDIS_S = 0.5
REDIS_RETRIES = 1
"""The connection may have been lost while it was idle; a server that is away is the ladder's."""
REDIS_PASSWORD_VARIABLE = "REDIS_PASSWORD"  # noqa: S105 - its name
CONNECTIONS = 64
USAGE_ERROR = 2


def main(arguments: list[str] | None = None) -> int:
    """Run the gateway until SIGINT or SIGTERM; return the exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # a line for each ping is noise
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((options.host, options.port))
        app = build(options)
    except OSError as error:
        return _fail(
            f"cannot listen on {options.host}:{options.port}: {error.strerror}; "
            "choose another with --port"
        )
    except (ConfigurationError, BundleError, RedisSettingsError) as error:
        return _fail(str(error))
    config = uvicorn.Config(
        app, loop="uvloop", http="httptools", log_level="warning", access_log=False
    )
    uvicorn.Server(config).run(sockets=[listener])
    return 0


def build(options: argparse.Namespace) -> Starlette:
    """Return the application for the parsed options.

    Raises:
        ConfigurationError: The policy file is wrong.
        BundleError: The bundle cannot be loaded.
        RedisSettingsError: The store's settings contradict one another.
    """
    primary, replicas = wires(_redis(options))
    route = ReadRoute(primary, replicas)
    reader = AsyncFeatureReader(route, options.project)
    session = botocore.session.get_session()
    endpoint = _endpoint(session, options)
    pipeline = Pipeline(
        retriever=Retriever(route, options.project),
        reader=reader,
        ladder=ScoreLadder(EndpointScorer(endpoint), load_scorer(options.bundle)),
        policy=reloaded_policy(options.policy),
        first_places=FirstPlaces(),
    )
    checks = [
        redis_check(route, options.project),
        pipelines_check(reader.beacons, lambda: time.time_ns() // 1000),
    ]
    if options.endpoint_url:
        checks.append(endpoint_check(f"{options.endpoint_url}/ping"))
    kinesis = _client(session, "kinesis", options.region, options.kinesis_url)
    log = DecisionLog(kinesis, options.decisions_stream)

    async def close() -> None:
        endpoint.close()
        for wire in (primary, *replicas):
            await wire.close()

    return create_app(Gateway(pipeline, HeldDecisions(), log, checks, close))


def _endpoint(session: Any, options: argparse.Namespace) -> EndpointClient:
    url = options.endpoint_url or _client(session, RUNTIME, options.region, None).meta.endpoint_url
    signer = Signer(session.get_credentials(), options.region)
    return EndpointClient(url, options.endpoint_name, signer)


def _redis(options: argparse.Namespace) -> RedisSettings:
    return RedisSettings(
        url=options.redis_url,
        replica_urls=tuple(options.redis_replica_url),
        password=os.environ.get(REDIS_PASSWORD_VARIABLE),
        ca_file=options.redis_ca_file,
        connect_s=REDIS_S,
        answer_s=REDIS_S,
        retries=REDIS_RETRIES,
    )


def _client(session: Any, service: str, region: str, endpoint_url: str | None) -> Any:
    config = Config(
        connect_timeout=KINESIS_CONNECT_S,
        read_timeout=KINESIS_READ_S,
        retries={"total_max_attempts": 1},
        max_pool_connections=CONNECTIONS,
    )
    return session.create_client(
        service, region_name=region, endpoint_url=endpoint_url, config=config
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scoring.gateway.serve",
        description="Answers POST /v1/recommendations; the API is described at /docs. "
        f"The store's password, if it is not in its URL, is ${REDIS_PASSWORD_VARIABLE}.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=18000, help="port to listen on")
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
    parser.add_argument("--region", default="us-east-1", help="AWS region")
    parser.add_argument("--policy", type=Path, default=DEFAULT_POLICY, help="policy file")
    return parser


def _fail(message: str) -> int:
    sys.stderr.write(f"gateway: {message}\n")
    return USAGE_ERROR


if __name__ == "__main__":
    sys.exit(main())
