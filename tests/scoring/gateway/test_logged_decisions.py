import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from feature_repo.model_matrix import MODEL_FEATURES
from scoring.gateway.pipeline import ALL_FEATURES_SHARE, is_drawn
from tests.scoring.gateway.conftest import DENVER, Kinesis, Providers

pytestmark = pytest.mark.integration


def _logged(gateway: TestClient, kinesis: Kinesis, event_id: str) -> Any:
    asked = {"event_id": event_id, "location": {"lat": DENVER[0], "lon": DENVER[1]}}
    gateway.post("/v1/recommendations", json={**asked, "service": "tow", "top_k": 1})
    gateway.__exit__(None, None, None)
    (record,) = kinesis.records
    return json.loads(record.data)


def _event(*, drawn: bool) -> str:
    return next(f"e{n}" for n in range(10_000) if is_drawn(f"e{n}", ALL_FEATURES_SHARE) is drawn)


def test_that_nobody_could_be_sent_is_logged_too(
    gateway: TestClient, providers: Providers, kinesis: Kinesis
) -> None:
    """A 404 is a decision: its candidates and their exclusions reach the stream."""
    providers.add("busy", free_capacity=0)
    providers.add("far", radius_km=0.1, base_lat=DENVER[0] + 0.2)
    logged = _logged(gateway, kinesis, _event(drawn=False))
    assert logged["answer"]["recommendations"] == []
    assert "may be sent" in logged["refusal"]["error"]
    assert logged["ranked"]["provider_id"] == []
    excluded = logged["excluded"]
    assert dict(zip(excluded["provider_id"], excluded["excluded"], strict=True)) == {
        "busy": "no_free_capacity", "far": "outside_contract_radius",
    }  # fmt: skip


@pytest.mark.parametrize("drawn", [True, False])
def test_on_a_share_of_decisions_every_candidates_features_are_logged(
    gateway: TestClient, providers: Providers, kinesis: Kinesis, drawn: bool
) -> None:
    """Those of the shown always; those of the others, excluded ones too, where the event says."""
    for number in range(3):
        providers.add(f"p{number}", km_north=1 + number)
    providers.add("busy", free_capacity=0)
    logged = _logged(gateway, kinesis, _event(drawn=drawn))
    (shown,) = logged["features"]
    others = {"p0", "p1", "p2", "busy"} - {shown}
    assert set(logged["other_features"]) == (others if drawn else set())
    if drawn:
        busy = dict(zip(MODEL_FEATURES, logged["other_features"]["busy"], strict=True))
        of_shown = dict(zip(MODEL_FEATURES, logged["features"][shown], strict=True))
        assert busy["provider_availability__free_capacity"] == 0
        assert busy["request_time__surge_ratio"] == of_shown["request_time__surge_ratio"]


def test_the_log_tells_what_the_api_tells_of_every_candidate(
    gateway: TestClient, providers: Providers, kinesis: Kinesis
) -> None:
    """Column by column the log has each candidate of the table that ``GET`` returns."""
    for number in range(3):
        providers.add(f"p{number}", km_north=1 + number)
    providers.add("silent", km_north=2, lat=None, lon=None)
    providers.add("busy", free_capacity=0)
    event_id = _event(drawn=False)
    asked = {"event_id": event_id, "location": {"lat": DENVER[0], "lon": DENVER[1]}}
    ids = ["p0", "p1", "p2", "silent", "busy"]
    gateway.post("/v1/recommendations", json={**asked, "service": "tow", "candidates": ids})
    told = gateway.get(f"/v1/decisions/{event_id}").json()["candidates"]
    gateway.__exit__(None, None, None)
    logged = json.loads(kinesis.records[0].data)
    ranked = [line for line in told if line["rank"] is not None]
    assert [line["rank"] for line in ranked] == list(range(1, len(ranked) + 1))
    for name, column in logged["ranked"].items():
        served = [line[name] for line in ranked]
        expected = served if name == "provider_id" else pytest.approx(served, abs=1e-6)
        assert column == expected, name
    acted = {line["provider_id"]: line["policy_actions"] for line in told if line["policy_actions"]}
    assert logged["policy_actions"] == acted != {}
    left_out = [line for line in told if line["excluded"]]
    for name, column in logged["excluded"].items():
        assert column == [line[name] for line in left_out], name


def test_a_share_is_drawn_by_the_event_alone() -> None:
    """The same events wherever they are asked about, and as many as the share says."""
    drawn = [is_drawn(f"evt-{number}", 0.05) for number in range(20_000)]
    assert sum(drawn) == pytest.approx(1000, rel=0.15)
    assert [is_drawn("evt-1", share) for share in (0.0, 1.0)] == [False, True]
