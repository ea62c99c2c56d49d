"""Who may be sent: the rules over columns, against the same rules in plain words for each one."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feature_repo.geometry import great_circle_km
from feature_repo.schema import ProviderStatus, ServiceType
from scoring.endpoint.scorer import Scores
from scoring.gateway.candidate_table import CandidateTable, StackedColumns
from scoring.gateway.eligible import Exclusion, exclusions
from scoring.gateway.messages import Location, RecommendationRequest
from scoring.gateway.policy.first_places import FirstPlaces
from scoring.gateway.policy.rules import Policy
from scoring.gateway.policy.stage import apply_policy
from scoring.gateway.read import request_columns
from tests.scoring.gateway.policy.situations import policy

NOW_US = 1_764_000_000_000_000
LAT, LON = 39.7392, -104.9903
MINUTE_US = 60_000_000


def _columns(rng: np.random.Generator, n: int) -> StackedColumns:
    """Return columns of which each value may be missing, and each rule may be broken."""
    statuses = [b"", *(status.value.encode() for status in ProviderStatus)]
    numbers = {
        "provider_motion__lat": LAT + rng.normal(0, 0.3, n),
        "provider_motion__lon": LON + rng.normal(0, 0.3, n),
        "provider_motion__motion_observed_at": NOW_US - rng.uniform(0, 200e6, n),
        "provider_availability__status_reported_at": NOW_US - rng.uniform(0, 200e6, n),
        "provider_availability__free_capacity": rng.integers(0, 4, n).astype(float),
        "provider_availability__shift_end": NOW_US + rng.uniform(-20, 90, n) * MINUTE_US,
        "provider_profile__base_lat": LAT + rng.normal(0, 0.3, n),
        "provider_profile__base_lon": LON + rng.normal(0, 0.3, n),
        "provider_profile__radius_km": rng.uniform(10, 120, n),
        "provider_profile__contract_tier": rng.integers(1, 5, n).astype(float),
        "provider_profile__max_vehicle_class": rng.integers(1, 4, n).astype(float),
        **{f"provider_profile__can_{s.value}": (rng.random(n) < 0.9).astype(float)
           for s in ServiceType},
    }  # fmt: skip
    for values in numbers.values():
        values[rng.random(n) < 0.02] = np.nan
    demand = {"cell_demand__open_requests": np.full(n, float(rng.integers(0, 30)))}
    status = rng.choice(np.array(statuses, dtype="S16"), n, p=[0.02, 0.7, 0.1, 0.08, 0.1])
    return StackedColumns.of({**numbers, **demand, "provider_availability__status": status})


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Rules about who may be sent, and about the order."""
    return policy(
        freshness={
            "availability_max_age_s": draw(st.floats(1, 120)),
            "position_max_age_s": draw(st.floats(1, 120)),
            "position_unknown": draw(st.sampled_from(["behind", "exclude"])),
        },
        capacity={
            "free_trucks": draw(st.integers(1, 3)),
            "shift_minutes_left": draw(st.floats(0, 60)),
        },
        blocklist=dict.fromkeys(draw(st.sets(st.sampled_from(["p0", "p1", "p2"]))), "test"),
        exploration={"share": 0.2, "among": 20},
        contract_minimum={"tier_shares": {3: 0.3}, "provider_shares": {"p1": 0.5}},
        fairness={"provider_share": 0.1, "handicap_cap": 1.0},
    )


requests = st.builds(
    RecommendationRequest,
    event_id=st.text("abcdef", min_size=1),
    location=st.just(Location(LAT, LON)),
    service=st.sampled_from([service.value for service in ServiceType]),
    vehicle_class=st.integers(1, 3),
)


def _plainly(row: dict[str, Any], request: RecommendationRequest, rules: Policy) -> str | None:
    """Return why one provider may not be sent; what is unknown is None."""

    def at_least(value: float | None, least: float) -> bool:
        return value is not None and value >= least

    def told(observed_us: float | None, max_age_s: float) -> bool:
        return observed_us is not None and NOW_US - observed_us <= max_age_s * 1e6

    base = row["base_lat"], row["base_lon"]
    base_km = None if None in base else float(great_circle_km(*np.array(base), LAT, LON))  # type: ignore[call-arg, arg-type]
    left_us = None if row["shift_end"] is None else row["shift_end"] - NOW_US
    limits = rules.freshness
    holds = {
        "blocked": row["id"] in rules.blocklist,
        "profile_unknown": row["radius_km"] is None,
        "service_not_offered": row[f"can_{request.service}"] != 1,
        "vehicle_too_heavy": not at_least(row["max_vehicle_class"], request.vehicle_class),
        "outside_contract_radius": base_km is None or base_km > (row["radius_km"] or 0),
        "availability_unknown": row["status"] == "",
        "availability_stale": not told(row["status_reported_at"], limits.availability_max_age_s),
        "offline": row["status"] == "offline",
        "no_free_capacity": not at_least(row["free_capacity"], rules.capacity.free_trucks),
        "shift_over": left_us is None or left_us <= rules.capacity.shift_minutes_left * MINUTE_US,
        "position_unknown": limits.position_unknown == "exclude"
        and (row["lat"] is None or not told(row["motion_observed_at"], limits.position_max_age_s)),
    }
    return next((code for code, held in holds.items() if held), None)


def _row(table: CandidateTable, index: int) -> dict[str, Any]:
    row: dict[str, Any] = {"id": table.provider_ids[index]}
    for name, values in table.columns.items():
        value = values[index]
        text = isinstance(value, bytes)
        known = value.decode() if text else None if math.isnan(value) else float(value)
        row[name.split("__")[1]] = known
    return row


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 60), request=requests, rules=policies())
def test_each_exclusion_is_the_one_that_holds_in_plain_words(
    seed: int, n: int, request: RecommendationRequest, rules: Policy
) -> None:
    """Columns and single providers agree on every code, whatever is missing, stale or broken."""
    table = CandidateTable(
        [f"p{i}" for i in range(n)], _columns(np.random.default_rng(seed), n), {}
    )
    found = exclusions(table, request, rules, request_columns(request, NOW_US, 0))
    plainly = [_plainly(_row(table, i), request, rules) for i in range(n)]
    assert [found[i] for i in range(n)] == plainly
    counted = {code: plainly.count(code) for code in set(plainly) if code}
    assert found.counts() == counted


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 60),
    asked=st.lists(requests, min_size=1, max_size=6),
    rules=policies(),
)
def test_no_ineligible_provider_is_ever_ranked(
    seed: int, n: int, asked: list[RecommendationRequest], rules: Policy
) -> None:
    """Whatever the order does over a row of decisions, nobody appears in it who may not be sent."""
    rng = np.random.default_rng(seed)
    table = CandidateTable([f"p{i}" for i in range(n)], _columns(rng, n), {})
    first_places = FirstPlaces()
    for request in asked:
        found = exclusions(table, request, rules, request_columns(request, NOW_US, 0))
        eligible = table.take(found.eligible)
        may = {f"p{i}" for i in range(n) if _plainly(_row(table, i), request, rules) is None}
        assert set(eligible.provider_ids) == may
        if may:
            now = request_columns(request, NOW_US, 3)
            ranking = apply_policy(
                eligible, _scores(rng, len(may)), rules, first_places, now, request.event_id
            )
            ranked = [eligible.provider_ids[row] for row in ranking.order]
            assert sorted(ranked) == sorted(may)


def _scores(rng: np.random.Generator, n: int) -> Scores:
    minutes = rng.uniform(5, 50, n).astype(np.float32)
    return Scores(
        bundle_version="test",
        scores=rng.normal(size=n).astype(np.float32),
        eta_p50_min=minutes,
        eta_p90_min=minutes,
        success_probability=rng.uniform(size=n).astype(np.float32),
        explained_rows=np.empty(0, dtype=np.int32),
        contributions=np.empty((0, 1), dtype=np.float32),
        expected_score=0.0,
    )


def test_the_first_rule_that_is_broken_is_told() -> None:
    """Of a provider that breaks every rule, the codes come in their order as the rules are met."""
    nothing = dict.fromkeys(_columns(np.random.default_rng(0), 1), np.array([np.nan]))
    columns = {**nothing, "provider_availability__status": np.array([b""], dtype="S16")}
    rules = policy(
        blocklist={"p0": "test"},
        freshness={"availability_max_age_s": 60, "position_max_age_s": 60,
                   "position_unknown": "exclude"},
    )  # fmt: skip
    mended: list[tuple[str, str, object]] = [
        ("p0", "provider_profile__radius_km", np.nan),
        ("p1", "provider_profile__radius_km", np.nan),
        ("p1", "provider_profile__radius_km", 50.0),
        ("p1", "provider_profile__can_tow", 1.0),
        ("p1", "provider_profile__max_vehicle_class", 1.0),
        ("p1", "provider_profile__base_lat", LAT),
        ("p1", "provider_availability__status", b"offline"),
        ("p1", "provider_availability__status_reported_at", float(NOW_US)),
        ("p1", "provider_availability__status", b"available"),
        ("p1", "provider_availability__free_capacity", 1.0),
        ("p1", "provider_availability__shift_end", NOW_US + 60.0 * MINUTE_US),
    ]
    columns["provider_profile__base_lon"] = np.array([LON])
    request = RecommendationRequest("e", Location(LAT, LON), "tow")
    told = []
    for provider_id, name, value in mended:
        columns[name] = np.array([value], dtype=columns[name].dtype)
        table = CandidateTable([provider_id], StackedColumns.of(columns), {})
        told.append(exclusions(table, request, rules, request_columns(request, NOW_US, 0))[0])
    assert told == list(Exclusion)


def test_the_evidence_outlives_the_rows_without_holding_them() -> None:
    """What is kept of a decision is no view of the rows that were read: those can go."""
    table = CandidateTable(["p0"], _columns(np.random.default_rng(0), 1), {})
    request = RecommendationRequest("e", Location(LAT, LON), "tow")
    found = exclusions(table, request, policy(), request_columns(request, NOW_US, 0))
    assert all(array.base is None for array in vars(found.evidence).values())


@pytest.mark.parametrize("code", Exclusion)
def test_every_code_can_happen(code: Exclusion) -> None:
    """No code is without a provider that it excludes."""
    rng = np.random.default_rng(1)
    table = CandidateTable([f"p{i}" for i in range(2000)], _columns(rng, 2000), {})
    request = RecommendationRequest("e", Location(LAT, LON), "tow", vehicle_class=2)
    rules = policy(
        blocklist={"p0": "test"},
        freshness={"availability_max_age_s": 60, "position_max_age_s": 60,
                   "position_unknown": "exclude"},
    )  # fmt: skip
    found = exclusions(table, request, rules, request_columns(request, NOW_US, 0))
    assert found.counts()[code] > 0
