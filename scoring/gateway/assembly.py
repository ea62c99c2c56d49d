"""The gateway's parts, made from the command line's options and put together."""

import argparse
import logging
import os
import time
from pathlib import Path
from typing import Any

import botocore.session

from feature_repo.online.async_reader import AsyncFeatureReader
from feature_repo.online.changes import Changes
from feature_repo.online.read_route import ReadRoute
from feature_repo.online.redis_settings import RedisSettings
from feature_repo.online.wire import wires
from scoring.endpoint.bundle import load_scorer
from scoring.gateway.api_keys import MAKE_ONE, ApiKey, load_keys
from scoring.gateway.app import Gateway
from scoring.gateway.decision_log import DecisionLog, DecisionStream, KinesisStream, Spill
from scoring.gateway.endpoint_client import EndpointClient
from scoring.gateway.errors import ConfigurationError
from scoring.gateway.held import HeldDecisions
from scoring.gateway.metrics import SHARED_DIRECTORY_VARIABLE
from scoring.gateway.pipeline import Pipeline
from scoring.gateway.pipeline_watch import PipelineWatch
from scoring.gateway.policy.file import reloaded_policy
from scoring.gateway.policy.first_places import FirstPlaces
from scoring.gateway.readiness import endpoint_check, pipelines_check, redis_check
from scoring.gateway.reloaded import Reloaded
from scoring.gateway.replies import Replies
from scoring.gateway.resilience.adaptive_limit import AdaptiveLimit
from scoring.gateway.resilience.admission import Admission
from scoring.gateway.resilience.retry_budget import RETRY_SHARE, RetryBudget
from scoring.gateway.resilience.turns import Turns
from scoring.gateway.retrieve import Retriever
from scoring.gateway.score import EndpointScorer
from scoring.gateway.score_ladder import ScoreLadder
from scoring.gateway.shared_replies import SharedReplies
from scoring.gateway.siblings import Siblings
from scoring.gateway.signing import Signer
from scoring.gateway.store_ladder import StoreLadder
from scoring.gateway.tracing import Tracing, otlp_exporter

RUNTIME = "sagemaker-runtime"
REDIS_S = 0.5
"""A connection that was silent for so long is given up; requests wait less (``store_ladder``)."""
REDIS_RETRIES = 0
"""The ladder asks again, within its budget."""
REDIS_PASSWORD_VARIABLE = "REDIS_PASSWORD"  # noqa: S105 - its name
LOOPBACK = {"127.0.0.1", "::1", "localhost"}

logger = logging.getLogger(__name__)


def assemble(options: argparse.Namespace) -> Gateway:
    """Return the gateway for the parsed options (``serve.parse``).

    Raises:
        ConfigurationError: The policy or the key file is wrong, or keys are missing.
        BundleError: The bundle cannot be loaded.
        RedisSettingsError: The store's settings contradict one another.
    """
    keys = _keys(options)
    scorer = load_scorer(options.bundle)
    changes = Changes(options.project)
    primary, replicas = wires(_redis(options), changes)
    route = ReadRoute(primary, replicas)
    reader = AsyncFeatureReader(route, options.project, changes=changes)
    watch = PipelineWatch(reader.beacons, _now_us)
    session = botocore.session.get_session()
    endpoint = _endpoint(session, options)
    pipeline = Pipeline(
        store=StoreLadder(Retriever(route, options.project), reader, watch),
        scores=ScoreLadder(EndpointScorer(endpoint), scorer),
        policy=reloaded_policy(options.policy),
        first_places=FirstPlaces(),
        turns=Turns(),
        all_features_share=options.all_features_share,
    )
    checks = [
        redis_check(route, options.project),
        pipelines_check(reader.beacons, _now_us),
    ]
    if options.endpoint_url:
        checks.append(endpoint_check(f"{options.endpoint_url}/ping"))
    log = _decision_log(session, options)

    async def close() -> None:
        endpoint.close()
        for wire in (primary, *replicas):
            await wire.close()

    return Gateway(
        door=Admission(AdaptiveLimit()),
        pipeline=pipeline,
        watch=watch,
        replies=Replies(),
        shared=SharedReplies(primary, options.project),
        held=HeldDecisions(scorer),
        siblings=Siblings(_shared_directory()),
        log=log,
        checks=checks,
        keys=keys,
        close=close,
        tracing=_tracing(options),
    )


def _tracing(options: argparse.Namespace) -> Tracing | None:
    if not options.trace_share:
        return None
    return Tracing(options.trace_share, otlp_exporter(options.trace_url))


def _shared_directory() -> Path | None:
    """Return the directory that the processes of this gateway have in common; None for one."""
    directory = os.environ.get(SHARED_DIRECTORY_VARIABLE)
    return None if directory is None else Path(directory)


def _now_us() -> int:
    return time.time_ns() // 1000


def _keys(options: argparse.Namespace) -> Reloaded[list[ApiKey]] | None:
    """Return the API keys; without a file, everybody who reaches a loopback address may ask."""
    if options.api_keys is not None:
        return Reloaded(options.api_keys, load_keys)
    if options.host not in LOOPBACK:
        raise ConfigurationError(
            f"--host: {options.host} can be reached from other machines, and there are no API "
            f"keys; give a key file with --api-keys ({MAKE_ONE})"
        )
    logger.warning("no --api-keys: whoever reaches %s may ask", options.host)
    return None


def _endpoint(session: Any, options: argparse.Namespace) -> EndpointClient:
    url = options.endpoint_url or _address(session, RUNTIME, options.region)
    signer = Signer(session.get_credentials(), options.region)
    return EndpointClient(url, options.endpoint_name, signer, RetryBudget(RETRY_SHARE))


def _decision_log(session: Any, options: argparse.Namespace) -> DecisionLog:
    region, name = options.region, options.decisions_stream
    url = options.kinesis_url or _address(session, "kinesis", region)
    stream = DecisionStream(KinesisStream(url, region, session.get_credentials(), name))
    spill = None if options.spill_dir is None else Spill(options.spill_dir, options.spill_bytes)
    return DecisionLog(stream, spill)


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


def _address(session: Any, service: str, region: str) -> str:
    """Return where a service of AWS is."""
    url: str = session.create_client(service, region_name=region).meta.endpoint_url
    return url
