"""What goes in and out of the gateway, as JSON."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Service = Literal["tow", "jump_start", "tire_change", "lockout", "fuel", "winch"]


class Location(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A point on the road, degrees (WGS 84)."""

    lat: Annotated[float, Meta(ge=-90, le=90, description="Latitude, degrees.", examples=[39.74])]
    lon: Annotated[
        float, Meta(ge=-180, le=180, description="Longitude, degrees.", examples=[-104.99])
    ]


class RecommendationRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A driver needs help: who should come?"""

    event_id: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=128,
            description="The request for help. The same id again gives the same answer.",
            examples=["evt-2041"],
        ),
    ]
    location: Location
    service: Annotated[Service, Meta(description="What the driver needs.", examples=["tow"])]
    vehicle_class: Annotated[
        int, Meta(ge=1, le=3, description="1 light, 2 medium, 3 heavy.", examples=[1])
    ] = 1
    promised_minutes: Annotated[
        float, Meta(gt=0, le=480, description="Minutes promised to the driver.", examples=[45])
    ] = 45.0
    candidates: Annotated[
        Annotated[list[str], Meta(max_length=1000)] | None,
        Meta(description="Only these providers; anyone near if left out."),
    ] = None
    top_k: Annotated[
        int, Meta(ge=1, le=50, description="How many recommendations to return.", examples=[5])
    ] = 5


class FeatureAge(msgspec.Struct, frozen=True):
    """How old one view's row was when it was used."""

    view: str
    age_s: Annotated[float, Meta(description="Seconds.")]


class Recommendation(msgspec.Struct, frozen=True):
    """One provider, and why."""

    rank: Annotated[int, Meta(description="1 is to be offered first.")]
    provider_id: Annotated[str, Meta(description="Who.")]
    minutes_away: Annotated[float, Meta(description="Median of minutes to arrival, by the model.")]
    minutes_away_p90: Annotated[
        float, Meta(description="Minutes within which nine in ten arrive, by the model.")
    ]
    success_probability: Annotated[
        float, Meta(description="Calibrated chance to accept, arrive as promised and complete.")
    ]
    distance_km: Annotated[
        float | None, Meta(description="As the crow flies, km; null where the position is unknown.")
    ]
    score: Annotated[float, Meta(description="The ranker's raw score; higher is better.")]
    propensity: Annotated[
        float, Meta(description="Chance that the policy put this provider first.")
    ]
    reasons: Annotated[list[str], Meta(description="What speaks most for it, strongest first.")]
    contributions: Annotated[
        dict[str, float],
        Meta(
            description="What each group of features added to the score, against an average "
            "candidate of the training; empty where the score is by rule."
        ),
    ]
    freshest: Annotated[
        FeatureAge | None, Meta(description="The youngest stream view that was used.")
    ]
    stalest: Annotated[FeatureAge | None, Meta(description="The oldest stream view that was used.")]
    policy_actions: Annotated[
        list[str], Meta(description="What the policy did with it, as codes; empty is nothing.")
    ]


class NotChosen(msgspec.Struct, frozen=True):
    """Why a nearer provider does not stand first."""

    provider_id: str
    rank: int
    sentence: str


class Candidate(msgspec.Struct, frozen=True):
    """One line of the full candidate table."""

    provider_id: str
    distance_km: float | None
    excluded: Annotated[str | None, Meta(description="The exclusion's code, if any.")] = None
    rank: int | None = None
    score: float | None = None
    minutes_away: float | None = None
    success_probability: float | None = None
    propensity: float | None = None
    policy_actions: list[str] = msgspec.field(default_factory=list)


class Versions(msgspec.Struct, frozen=True):
    """What made the decision."""

    model: str
    policy: str
    features: str


class RecommendationAnswer(msgspec.Struct, frozen=True):
    """The ranking, with what an operator needs to trust it or not."""

    event_id: Annotated[str, Meta(description="As in the request.")]
    decided_at: Annotated[str, Meta(description="ISO 8601, UTC; ages are as of then.")]
    recommendations: Annotated[list[Recommendation], Meta(description="Best first, at most top_k.")]
    why_not_nearer: Annotated[
        NotChosen | None, Meta(description="About the nearest who may be sent, if it is not first.")
    ]
    candidates_considered: Annotated[
        int, Meta(description="Found near or named, the excluded included.")
    ]
    excluded: Annotated[dict[str, int], Meta(description="Exclusions by code.")]
    degraded: Annotated[
        list[str], Meta(description="What did not work as it should; empty is good.")
    ]
    versions: Versions
    stage_ms: Annotated[dict[str, float], Meta(description="Time in each stage, milliseconds.")]


class ErrorBody(msgspec.Struct, frozen=True):
    """A refusal: what is wrong, what it was, and what to do."""

    error: str
    field: str
    value: str
    remedy: str


class Decision(msgspec.Struct, frozen=True):
    """Everything about one decision: ``GET /v1/decisions/{event_id}``.

    ``features`` holds, for each returned provider, the model's input as it was read, in the order
    of ``feature_names``; null is unknown. Where nobody could be sent, ``refusal`` is what was
    answered, and ``answer`` has no recommendation.
    """

    request: RecommendationRequest
    answer: RecommendationAnswer
    refusal: ErrorBody | None
    candidates: list[Candidate]
    words: Annotated[
        dict[str, str],
        Meta(description="The codes in this decision, of exclusions and policy actions, in words."),
    ]
    feature_names: list[str]
    features: dict[str, list[float | None]]
    other_features: Annotated[
        dict[str, list[float | None]],
        Meta(
            description="The same of every other candidate, on a share of the decisions that is "
            "drawn by event_id; empty in the others."
        ),
    ] = msgspec.field(default_factory=dict)


class Cost(msgspec.Struct, frozen=True):
    """What a group of features costs a provider in comparison with the first."""

    group: str
    score: Annotated[float, Meta(description="Score points; negative where it has the advantage.")]
    says: Annotated[
        str | None, Meta(description="What weighs most in the group, where that can be worded.")
    ]


class WhyNot(msgspec.Struct, frozen=True):
    """Why a provider does not stand first: ``GET /v1/decisions/{event_id}/providers/{id}``."""

    provider_id: Annotated[str, Meta(description="Who was asked about.")]
    sentence: Annotated[str, Meta(description="Why, to be read.")]
    rank: Annotated[int | None, Meta(description="Its place; null where it was not ranked.")]
    excluded: Annotated[str | None, Meta(description="The code of its exclusion, if any.")]
    policy_actions: Annotated[list[str], Meta(description="What the policy did with it, as codes.")]
    costs: Annotated[
        list[Cost],
        Meta(
            description="The dearest group first; they sum to the difference of the scores. "
            "Conditions and request are the same for all: they cost by how they act with the rest. "
            "Empty where the provider was not scored, or not explained."
        ),
    ]
