import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from feature_repo.model_matrix import MODEL_FEATURES
from feature_repo.online.keys import entity_key, row_field
from feature_repo.schema import PROVIDER_MOTION
from tests.scoring.gateway.conftest import DENVER, PROJECT, Endpoint, Kinesis, Providers

pytestmark = pytest.mark.integration


def _ask(gateway: TestClient, event_id: str = "e1", **given: Any) -> Any:
    request = {
        "event_id": event_id,
        "location": {"lat": DENVER[0], "lon": DENVER[1]},
        "service": "tow",
        **given,
    }
    return gateway.post("/v1/recommendations", json=request)


def test_a_ranking_is_complete_and_explained(gateway: TestClient, providers: Providers) -> None:
    """An answer has ranks, minutes, chances, reasons, feature ages, versions and stage times."""
    for number in range(8):
        providers.add(f"p{number}", km_north=2 + 3 * number)
    answer = _ask(gateway, top_k=3).json()
    first = answer["recommendations"][0]
    assert [item["rank"] for item in answer["recommendations"]] == [1, 2, 3]
    assert 0 <= first["success_probability"] <= 1
    assert first["minutes_away_p90"] >= first["minutes_away"] >= 0
    assert 1 <= len(first["reasons"]) <= 3
    assert first["stalest"]["age_s"] == pytest.approx(10, abs=2)
    assert answer["versions"]["model"].startswith("test-")
    stages = {"admit", "retrieve", "read", "eligible", "features", "score", "policy", "explain"}
    assert stages <= set(answer["stage_ms"])
    assert answer["degraded"] == []


@pytest.mark.parametrize(
    ("code", "given", "asked"),
    [
        ("service_not_offered", {"can_tow": False}, {}),
        ("vehicle_too_heavy", {"max_vehicle_class": 1}, {"vehicle_class": 2}),
        ("outside_contract_radius", {"radius_km": 0.1, "base_lat": DENVER[0] + 0.1}, {}),
        # Off the map: only a candidate that was named can be told to be offline.
        ("offline", {"status": "offline"}, {"candidates": ["good", "bad"]}),
        ("no_free_capacity", {"free_capacity": 0}, {}),
        ("shift_over", {"shift_end": 1_700_000_000_000_000}, {}),
        ("availability_stale", {"age_s": 121.0}, {}),
        # The row is new (an offer came), what the provider said of itself is not.
        ("availability_stale", {"status_reported_at": 1_700_000_000_000_000}, {}),
        ("profile_unknown", {"radius_km": None}, {}),
    ],
)
def test_whoever_may_not_be_sent_is_excluded_with_a_code(
    gateway: TestClient,
    providers: Providers,
    code: str,
    given: dict[str, Any],
    asked: dict[str, Any],
) -> None:
    """Each rule excludes the provider that breaks it, and says which rule it was."""
    providers.add("good", km_north=20, max_vehicle_class=3)
    providers.add("bad", km_north=1, **given)
    answer = _ask(gateway, **asked).json()
    assert [item["provider_id"] for item in answer["recommendations"]] == ["good"]
    assert answer["excluded"] == {code: 1}
    table = gateway.get("/v1/decisions/e1").json()["candidates"]
    assert {line["provider_id"]: line["excluded"] for line in table} == {"good": None, "bad": code}


def test_a_provider_with_a_stale_position_stands_behind_the_others(
    gateway: TestClient, providers: Providers
) -> None:
    """A position older than two minutes is not used, and its provider comes after known ones."""
    providers.add("known", km_north=30)
    providers.add("lost", km_north=1, age_s=60)
    before = _ask(gateway, "before").json()["recommendations"]
    assert before[0]["provider_id"] == "lost"
    providers.client.flushall()
    providers.add("known", km_north=30)
    providers.add("lost", km_north=1, age_s=60, motion_age_s=121)
    after = _ask(gateway, "after").json()["recommendations"]
    assert [item["provider_id"] for item in after] == ["known", "lost"]
    assert after[1]["policy_actions"] == ["behind_the_others_position_unknown"]


def test_only_the_named_candidates_are_considered(
    gateway: TestClient, providers: Providers
) -> None:
    """A candidate list replaces the search; an unknown provider in it is excluded, not an error."""
    for name in ("a", "b", "c"):
        providers.add(name)
    answer = _ask(gateway, candidates=["b", "stranger", "b"]).json()
    assert [item["provider_id"] for item in answer["recommendations"]] == ["b"]
    assert answer["excluded"] == {"profile_unknown": 1}


def test_nobody_near_is_a_clear_refusal(gateway: TestClient, providers: Providers) -> None:
    """Without an eligible provider the answer is 404 and counts why each one was excluded."""
    assert _ask(gateway, "nobody").status_code == 404
    providers.add("full", free_capacity=0)
    answer = _ask(gateway, "full")
    assert answer.status_code == 404
    assert "1 no_free_capacity" in answer.json()["error"]


def test_who_is_offline_is_not_even_considered(gateway: TestClient, providers: Providers) -> None:
    """A provider who is offline takes no candidate's place in the search."""
    providers.add("near", km_north=1, status="offline")
    providers.add("far", km_north=20)
    answer = _ask(gateway).json()
    assert [item["provider_id"] for item in answer["recommendations"]] == ["far"]
    assert answer["excluded"] == {}


@pytest.mark.parametrize(
    ("given", "field", "value"),
    [
        ({"location": {"lat": 95, "lon": 0}}, "location.lat", "95"),
        ({"service": "teleport"}, "service", "teleport"),
        ({"vehicle_class": 4}, "vehicle_class", "4"),
        ({"top_k": 0}, "top_k", "0"),
        ({"event_id": ""}, "event_id", ""),
        ({"servise": "tow"}, "servise", "tow"),
        ({"location": {"lat": 1}}, "location.lon", "absent"),
        ({"candidates": ["a", 3]}, "candidates[1]", "3"),
    ],
)
def test_bad_input_is_named(
    gateway: TestClient, given: dict[str, Any], field: str, value: str
) -> None:
    """A request that does not fit gets 422 with the field, its value and what to do."""
    answer = _ask(gateway, **given)
    assert answer.status_code == 422
    assert (answer.json()["field"], answer.json()["value"]) == (field, value)
    assert answer.json()["remedy"]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[]"])
def test_a_body_that_is_no_request_is_refused(gateway: TestClient, body: bytes) -> None:
    """Anything that is not a JSON object gets 422, never 500."""
    answer = gateway.post("/v1/recommendations", content=body)
    assert answer.status_code == 422
    assert answer.json()["field"] == "body"


def test_the_same_event_gets_the_same_answer(gateway: TestClient, providers: Providers) -> None:
    """Asking again is idempotent; the same id with another request is a conflict."""
    providers.add("p1")
    first = _ask(gateway).json()
    providers.add("p2", km_north=0.1)
    assert _ask(gateway).json() == first
    conflict = _ask(gateway, service="winch")
    assert conflict.status_code == 409


def test_a_refusal_that_is_a_decision_is_given_again_and_explained(
    gateway: TestClient, providers: Providers
) -> None:
    """Nobody to send: the same request is refused with the same words, and the table says why."""
    providers.add("full", free_capacity=0)
    first = _ask(gateway)
    providers.add("free")
    again = _ask(gateway)
    assert (first.status_code, again.status_code) == (404, 404)
    assert again.json() == first.json()
    assert _ask(gateway, top_k=1).status_code == 409
    decision = gateway.get("/v1/decisions/e1").json()
    assert decision["refusal"] == first.json()
    assert decision["answer"]["recommendations"] == []
    assert [line["excluded"] for line in decision["candidates"]] == ["no_free_capacity"]
    assert decision["words"] == {"no_free_capacity": "has too few trucks free"}


def test_a_decision_has_every_candidate_with_words_for_its_codes(
    gateway: TestClient, providers: Providers
) -> None:
    """The table has who was ranked and who was not, distances of both, and each code in words."""
    providers.add("good", km_north=5)
    providers.add("lost", km_north=3, motion_age_s=121)
    providers.add("full", km_north=2, free_capacity=0)
    answer = _ask(gateway).json()
    decision = gateway.get("/v1/decisions/e1").json()
    assert decision["answer"] == answer
    lines = {line["provider_id"]: line for line in decision["candidates"]}
    assert [lines["good"]["rank"], lines["lost"]["rank"], lines["full"]["rank"]] == [1, 2, None]
    assert lines["full"]["distance_km"] == pytest.approx(2, abs=0.1)
    assert lines["good"]["minutes_away"] == answer["recommendations"][0]["minutes_away"]
    codes = {"no_free_capacity", "behind_the_others_position_unknown"}
    assert set(decision["words"]) == codes


def test_why_not_this_provider(gateway: TestClient, providers: Providers) -> None:
    """One provider's place is told in a sentence: by exclusion, by policy, or that it is none."""
    providers.add("good", km_north=5)
    providers.add("lost", km_north=3, motion_age_s=121)
    providers.add("full", km_north=2, free_capacity=0)
    _ask(gateway)
    said = {
        name: gateway.get(f"/v1/decisions/e1/providers/{name}").json()
        for name in ("good", "lost", "full", "stranger")
    }
    assert said["good"]["sentence"] == "good stands first."
    assert "position is unknown" in said["lost"]["sentence"]
    assert said["full"]["sentence"] == (
        "full is 2.0 km away, but may not be sent: it has too few trucks free (0)."
    )
    assert "was not considered" in said["stranger"]["sentence"]
    assert gateway.get("/v1/decisions/unknown/providers/good").status_code == 404


def test_somebody_far_down_is_explained_when_asked_for(
    gateway: TestClient, providers: Providers
) -> None:
    """Whose contributions were not in the answer gets them; they make the scores' difference."""
    for number in range(40):
        providers.add(f"p{number}", km_north=1 + number, acceptance_rate_30d=0.9 - number / 50)
    _ask(gateway, top_k=1)
    table = gateway.get("/v1/decisions/e1").json()["candidates"]
    first, last = table[0], table[-1]
    told = gateway.get(f"/v1/decisions/e1/providers/{last['provider_id']}").json()
    assert told["rank"] == 40
    lost = sum(cost["score"] for cost in told["costs"])
    assert lost == pytest.approx(first["score"] - last["score"], abs=1e-3)
    assert "against it: " in told["sentence"]


def test_contributions_by_group_make_the_score(gateway: TestClient, providers: Providers) -> None:
    """What the groups added to two scores differs by what the scores differ."""
    for number in range(3):
        providers.add(f"p{number}", km_north=2 + 9 * number)
    one, other, _ = _ask(gateway).json()["recommendations"]
    groups = [sum(item["contributions"].values()) for item in (one, other)]
    assert groups[0] - groups[1] == pytest.approx(one["score"] - other["score"], abs=1e-3)


def test_a_failing_endpoint_is_replaced_and_named(
    gateway: TestClient, providers: Providers, endpoint: Endpoint
) -> None:
    """With the endpoint down the same bundle answers in process, with the same scores."""
    for number in range(5):
        providers.add(f"p{number}", km_north=2 + number)
    healthy = _ask(gateway, "healthy").json()
    endpoint.down = True
    fallen = _ask(gateway, "fallen").json()
    assert fallen["degraded"] == ["endpoint_unavailable"]
    assert fallen["versions"] == healthy["versions"]
    assert {i["provider_id"] for i in fallen["recommendations"]} == {
        i["provider_id"] for i in healthy["recommendations"]
    }


def test_rows_of_another_schema_are_named(gateway: TestClient, providers: Providers) -> None:
    """An answer says whose rows it could not read; those providers' values are unknown."""
    providers.add("p1")
    providers.add("p2")
    key = entity_key(PROJECT, PROVIDER_MOTION, ("p2",))
    stored: Any = providers.client
    stored.hset(key, row_field(PROVIDER_MOTION), b"another version's row")
    answer = _ask(gateway, candidates=["p1", "p2"]).json()
    assert answer["degraded"] == ["schema_mismatch:provider_motion"]
    distance = {item["provider_id"]: item["distance_km"] for item in answer["recommendations"]}
    assert distance == {"p1": pytest.approx(2.0, abs=0.1), "p2": None}


def test_the_decision_is_logged_as_served(
    gateway: TestClient, providers: Providers, kinesis: Kinesis
) -> None:
    """The stream gets the request, the answer, every candidate and the features as read."""
    providers.add("p1")
    answer = _ask(gateway).json()
    gateway.__exit__(None, None, None)
    (record,) = kinesis.records
    assert record.event_id == "e1"
    logged = json.loads(record.data)
    assert logged["answer"] == answer
    features = dict(zip(MODEL_FEATURES, logged["features"]["p1"], strict=True))
    assert features["provider_availability__free_capacity"] == 1
    assert sum(logged["ranked"]["propensity"]) == pytest.approx(1)


def test_a_nearer_provider_who_is_not_first_is_accounted_for(
    gateway: TestClient, providers: Providers
) -> None:
    """When somebody nearer is not chosen, the answer says who, and what speaks against it."""
    good = {"acceptance_rate_30d": 0.95, "acceptance_rate_7d": 0.95, "acceptance_rate_90d": 0.95}
    bad = {"acceptance_rate_30d": 0.02, "acceptance_rate_7d": 0.02, "acceptance_rate_90d": 0.02}
    providers.add("near", km_north=2, **bad)
    providers.add("far", km_north=2.5, **good)
    answer = _ask(gateway, candidates=["near", "far"]).json()
    assert answer["recommendations"][0]["provider_id"] == "far"
    assert answer["why_not_nearer"]["provider_id"] == "near"
    assert "chance of success" in answer["why_not_nearer"]["sentence"]


def test_health_readiness_metrics_and_docs_answer(
    gateway: TestClient, providers: Providers
) -> None:
    """An empty store is not ready, a filled one is; metrics and the API's description are there."""
    assert gateway.get("/healthz").status_code == 200
    assert gateway.get("/readyz").status_code == 503
    providers.add("p1")
    assert gateway.get("/readyz").json()["ready"] is True
    _ask(gateway)
    assert 'gateway_stage_seconds_count{stage="score"}' in gateway.get("/metrics").text
    described = gateway.get("/openapi.json").json()
    assert "/v1/recommendations" in described["paths"]
    assert described["openapi"].startswith("3.1")
    # The page's script must know OpenAPI 3.1, or the browser shows an error instead of the API.
    assert "isOAS31" in gateway.get("/docs/assets/swagger-ui-bundle.js").text


def test_a_decision_that_is_not_held_is_a_404(gateway: TestClient) -> None:
    """Asking why for an unknown event says where to look instead."""
    answer = gateway.get("/v1/decisions/unknown")
    assert answer.status_code == 404
    assert "archive" in answer.json()["remedy"]
