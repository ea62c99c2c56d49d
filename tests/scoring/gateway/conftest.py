"""A gateway over a real Redis and a real bundle; the endpoint is scored in process."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis
from starlette.testclient import TestClient

from feature_repo.online.async_reader import AsyncFeatureReader, Keep
from feature_repo.online.read_route import ReadRoute
from feature_repo.online.redis_settings import RedisSettings
from feature_repo.online.row_writer import RowWriter
from feature_repo.online.wire import wires
from feature_repo.schema import (
    PROVIDER_AVAILABILITY,
    PROVIDER_HISTORY,
    PROVIDER_MOTION,
    PROVIDER_PROFILE,
)
from scoring.endpoint.bundle import load_scorer
from scoring.endpoint.scorer import Scorer, Scores
from scoring.gateway import score_ladder, store_ladder
from scoring.gateway.admit import LONGEST_DEADLINE_MS
from scoring.gateway.api_keys import ApiKey
from scoring.gateway.app import Gateway, create_app
from scoring.gateway.decision_log import DecisionLog, DecisionStream, Record
from scoring.gateway.decision_log.kinesis import Result
from scoring.gateway.held import HeldDecisions
from scoring.gateway.pipeline import Pipeline
from scoring.gateway.pipeline_watch import PipelineWatch
from scoring.gateway.policy.file import DEFAULT_POLICY, reloaded_policy
from scoring.gateway.policy.first_places import FirstPlaces
from scoring.gateway.readiness import redis_check
from scoring.gateway.reloaded import Reloaded
from scoring.gateway.replies import Replies
from scoring.gateway.resilience.adaptive_limit import AdaptiveLimit
from scoring.gateway.resilience.admission import Admission
from scoring.gateway.resilience.turns import Turns
from scoring.gateway.retrieve import Retriever
from scoring.gateway.score import EndpointError, Matrix
from scoring.gateway.score_ladder import ScoreLadder
from scoring.gateway.shared_replies import SharedReplies
from scoring.gateway.siblings import Siblings
from scoring.gateway.store_ladder import StoreLadder
from tests.support import rows
from tests.support.bundles import make_bundle

PROJECT = "test"
PATIENCE_S = 5.0
DENVER = (39.7392, -104.9903)


@dataclass
class Endpoint:
    """The bundle in process, that can be told to fail as an endpoint does."""

    scorer: Scorer
    down: bool = False

    async def score(self, matrix: Matrix, explain_rows: int = 0) -> Scores:
        """Score, or fail."""
        if self.down:
            raise EndpointError("endpoint 'test': told to be down")
        return self.scorer.score(matrix, explain_rows)


@dataclass
class Kinesis:
    """Keeps what is put on a stream."""

    records: list[Record] = field(default_factory=list)
    name: str = "decisions"

    def put(self, records: Sequence[Record]) -> list[Result]:
        """Take every record."""
        self.records += records
        return [Result() for _ in records]


@dataclass(frozen=True)
class Providers:
    """Writes providers into the store, good ones unless told otherwise."""

    client: redis.Redis

    def add(
        self,
        provider_id: str,
        km_north: float = 2.0,
        age_s: float = 10.0,
        motion_age_s: float | None = None,
        **given: object,
    ) -> None:
        """Write every view's row of one provider, so far north of the driver."""
        writer = RowWriter(self.client, PROJECT)
        now_us = time.time_ns() // 1000
        event_us = now_us - int(age_s * 1e6)
        moved_us = event_us if motion_age_s is None else now_us - int(motion_age_s * 1e6)
        place = {"lat": DENVER[0] + km_north / 111.2, "lon": DENVER[1]}
        state = {
            "status": "available", "free_capacity": 1, "shift_end": now_us + 7_200_000_000,
            "status_since": now_us - 600_000_000,
            "status_reported_at": event_us,
        }  # fmt: skip
        profile = {
            "base_lat": place["lat"], "base_lon": place["lon"], "radius_km": 60.0,
            "contract_tier": 1, "max_vehicle_class": 2,
        }  # fmt: skip
        rows.write(writer, PROVIDER_MOTION, [provider_id], moved_us, **{**place, **given})
        rows.write(writer, PROVIDER_AVAILABILITY, [provider_id], event_us, **{**state, **given})
        rows.write(writer, PROVIDER_PROFILE, [provider_id], event_us, **{**profile, **given})
        rows.write(writer, PROVIDER_HISTORY, [(provider_id, "tow")], event_us, **given)


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained bundle."""
    directory = tmp_path_factory.mktemp("bundle")
    make_bundle(directory)
    return directory


@pytest.fixture
def providers(redis_client: redis.Redis) -> Providers:
    """Writes providers into an empty store."""
    return Providers(redis_client)


@pytest.fixture
def endpoint(bundle: Path) -> Endpoint:
    """The endpoint."""
    return Endpoint(load_scorer(bundle))


@pytest.fixture
def kinesis() -> Kinesis:
    """The decision log's stream."""
    return Kinesis()


@pytest.fixture
def keys() -> Reloaded[list[ApiKey]] | None:
    """No API keys: everybody may ask."""
    return None


@pytest.fixture
def gateway(  # noqa: PLR0917 - fixtures
    redis_server: str,
    redis_client: redis.Redis,
    endpoint: Endpoint,
    kinesis: Kinesis,
    keys: Reloaded[list[ApiKey]] | None,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[TestClient]:
    """A client of the gateway."""
    assert redis_client.ping()
    wire, _ = wires(RedisSettings(redis_server, retries=0))
    route = ReadRoute(wire)
    reader = AsyncFeatureReader(route, PROJECT, Keep(live_s=0, daily_s=0))
    watch = PipelineWatch(reader.beacons, lambda: time.time_ns() // 1000)
    pipeline = Pipeline(
        store=StoreLadder(Retriever(route, PROJECT), reader, watch),
        scores=ScoreLadder(endpoint, endpoint.scorer),
        policy=reloaded_policy(DEFAULT_POLICY),
        first_places=FirstPlaces(),
        turns=Turns(),
    )
    log = DecisionLog(DecisionStream(kinesis))
    checks = [redis_check(route, PROJECT)]
    app = create_app(
        Gateway(
            door=Admission(AdaptiveLimit()),
            pipeline=pipeline,
            watch=watch,
            replies=Replies(),
            shared=SharedReplies(wire, PROJECT),
            held=HeldDecisions(endpoint.scorer),
            siblings=Siblings(None),
            log=log,
            checks=checks,
            keys=keys,
            close=wire.close,
        )
    )
    # Tests run on busy machines: here nothing is late but what a test makes late.
    monkeypatch.setattr(store_ladder, "REDIS_S", PATIENCE_S)
    monkeypatch.setattr(score_ladder, "ENDPOINT_S", PATIENCE_S)
    patient = {"X-Deadline-Ms": str(LONGEST_DEADLINE_MS)}
    with TestClient(app, raise_server_exceptions=False, headers=patient) as client:
        yield client
