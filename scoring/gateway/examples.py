"""Examples for the API's description: one decision as it is asked, answered and looked into."""

from scoring.gateway.errors import (
    ConflictError,
    DecisionNotFoundError,
    GatewayError,
    InvalidRequestError,
    NoCandidateError,
    OverloadedError,
    StoreUnavailableError,
    UnauthorizedError,
)
from scoring.gateway.messages import (
    Candidate,
    Cost,
    Decision,
    ErrorBody,
    FeatureAge,
    Location,
    NotChosen,
    Recommendation,
    RecommendationAnswer,
    RecommendationRequest,
    Versions,
    WhyNot,
)

REQUEST = RecommendationRequest(
    event_id="evt-2041",
    location=Location(39.7392, -104.9903),
    service="tow",
    vehicle_class=1,
    promised_minutes=45,
    top_k=3,
)
ANSWER = RecommendationAnswer(
    event_id="evt-2041",
    decided_at="2026-11-27T15:42:07.318000+00:00",
    recommendations=[
        Recommendation(
            rank=1,
            provider_id="den-00397",
            minutes_away=9.2,
            minutes_away_p90=15.4,
            success_probability=0.7312,
            distance_km=4.18,
            score=1.274,
            propensity=0.984,
            reasons=[
                "9 min away, 4 less than the next",
                "accepts 98% of offers for this service (90 days)",
                "declined 0 of 2 offers in the last hour",
            ],
            contributions={
                "proximity": 0.412,
                "record": 0.238,
                "workload": 0.061,
                "contract": -0.017,
                "conditions": -0.104,
                "request": 0.033,
            },
            freshest=FeatureAge("provider_motion", 11.2),
            stalest=FeatureAge("cell_demand", 42.6),
            policy_actions=[],
        )
    ],
    why_not_nearer=NotChosen(
        provider_id="den-00175",
        rank=6,
        sentence="den-00175 is 1.3 km nearer, but its chance of success is 51%, not 73%; "
        "against it: workload (declined 3 of 4 offers in the last hour)",
    ),
    candidates_considered=123,
    excluded={"outside_contract_radius": 35, "service_not_offered": 20},
    degraded=[],
    versions=Versions(model="bb5621cbd8acf7af", policy="2026-11-27", features="2c1f0d5b9a7e4f63"),
    stage_ms={"retrieve": 0.9, "read": 2.1, "score": 6.3, "total": 10.8},
)
DECISION = Decision(
    request=REQUEST,
    answer=ANSWER,
    refusal=None,
    candidates=[
        Candidate("den-00397", 4.18, None, 1, 1.274, 9.2, 0.7312, 0.984),
        Candidate("den-00042", 1.24, "availability_stale"),
    ],
    words={"availability_stale": "has not told its state for too long"},
    feature_names=["request_time__driver_distance_km"],
    features={"den-00397": [4.18]},
)
WHY_NOT = WhyNot(
    provider_id="den-00175",
    sentence="den-00175 stands at rank 6: its chance of success is 51%, not 73%; against it: "
    "workload (0.38 points, declined 3 of 4 offers in the last hour).",
    rank=6,
    excluded=None,
    policy_actions=[],
    costs=[
        Cost("workload", 0.3812, "declined 3 of 4 offers in the last hour"),
        Cost("proximity", -0.0927, None),
    ],
)
ERRORS: dict[type[GatewayError], ErrorBody] = {
    UnauthorizedError: ErrorBody(
        "has no valid API key",
        "Authorization",
        "not told",
        'send "Authorization: Bearer KEY" with a key that operations gave you',
    ),
    InvalidRequestError: ErrorBody(
        "expected `float` <= 90.0",
        "location.lat",
        "95",
        "see /docs for the fields and their ranges",
    ),
    ConflictError: ErrorBody(
        "was used before for a request that says something else",
        "event_id",
        "evt-2041",
        "use a new event_id",
    ),
    NoCandidateError: ErrorBody(
        "none of 4 providers near may be sent (3 no_free_capacity, 1 offline)",
        "service",
        "winch",
        "name candidates, or dispatch by hand",
    ),
    DecisionNotFoundError: ErrorBody(
        "the decision is not held: it was never made, or later ones took its place",
        "event_id",
        "evt-1007",
        "look into the archive of the decisions stream, which has them all",
    ),
    OverloadedError: ErrorBody(
        "there is more to do than can be done in time: as many requests wait as may wait",
        "load",
        "too many requests",
        "ask again after the seconds in Retry-After; operations add processes",
    ),
    StoreUnavailableError: ErrorBody(
        "Redis did not answer (no answer from Redis in 0.5 s), and no candidate is known from "
        "before",
        "feature store",
        "TimeoutError",
        "ask again; operations see /readyz",
    ),
}
"""Every refusal, as it reads."""
