"""A record of the decision log, as far as it is analysed, and its rows.

The gateway's own structs stand in a room that training may not import; a test holds them to these.
"""

from collections.abc import Iterator
from typing import Any

import h3
import msgspec

from feature_repo.model_matrix import MODEL_FEATURES
from feature_repo.schema import H3_RESOLUTION

Row = dict[str, Any]


class Location(msgspec.Struct, frozen=True):
    """Where the driver is, degrees."""

    lat: float
    lon: float


class Request(msgspec.Struct, frozen=True):
    """What was asked."""

    event_id: str
    location: Location
    service: str
    vehicle_class: int
    promised_minutes: float


class Versions(msgspec.Struct, frozen=True):
    """What made the decision."""

    model: str
    policy: str
    features: str


class Answer(msgspec.Struct, frozen=True):
    """When and by what it was answered."""

    decided_at: str
    degraded: list[str]
    versions: Versions


class Candidate(msgspec.Struct, frozen=True):
    """One provider who was considered."""

    provider_id: str
    excluded: str | None
    rank: int | None
    score: float | None
    success_probability: float | None
    propensity: float | None
    policy_actions: list[str]


class DecisionRecord(msgspec.Struct, frozen=True):
    """One decision; ``features`` has the model's input of the providers that were shown."""

    request: Request
    answer: Answer
    candidates: list[Candidate]
    feature_names: list[str]
    features: dict[str, list[float | None]]


class RecordError(ValueError):
    """A record is not a decision that this code can read; the message says why."""


_DECODER = msgspec.json.Decoder(DecisionRecord)


def decode(data: bytes) -> DecisionRecord:
    """Return the decision of a record.

    Raises:
        RecordError: It is not one, or its features are not this code's.
    """
    try:
        decision = _DECODER.decode(data)
    except msgspec.DecodeError as error:
        raise RecordError(f"it is no decision: {error}") from error
    if tuple(decision.feature_names) != MODEL_FEATURES:
        raise RecordError(
            f"decision {decision.request.event_id!r} has the feature list "
            f"{decision.answer.versions.features}, not this code's: read it with the code that "
            "served it"
        )
    if any(len(values) != len(MODEL_FEATURES) for values in decision.features.values()):
        raise RecordError(f"decision {decision.request.event_id!r} lacks values of features")
    return decision


def rows(decision: DecisionRecord) -> Iterator[Row]:
    """Yield one row a candidate; ``shown`` tells whose features were logged."""
    request, answer = decision.request, decision.answer
    lat, lon = request.location.lat, request.location.lon
    of_decision = {
        "event_id": request.event_id,
        "request_ts": answer.decided_at,
        "request_lat": lat,
        "request_lon": lon,
        "requested_service": request.service,
        "vehicle_class": request.vehicle_class,
        "promised_minutes": request.promised_minutes,
        "cell": h3.latlng_to_cell(lat, lon, H3_RESOLUTION),
        "service": request.service,  # the entity key of the provider's record
        "degraded": ",".join(answer.degraded),
        "model_version": answer.versions.model,
        "policy_version": answer.versions.policy,
        "features_version": answer.versions.features,
    }
    for candidate in decision.candidates:
        values = decision.features.get(candidate.provider_id)
        yield {
            **of_decision,
            "provider_id": candidate.provider_id,
            "excluded": candidate.excluded,
            "rank": candidate.rank,
            "score": candidate.score,
            "success_probability": candidate.success_probability,
            "propensity": candidate.propensity,
            "policy_actions": ",".join(candidate.policy_actions),
            "shown": values is not None,
            **dict(zip(MODEL_FEATURES, values or [None] * len(MODEL_FEATURES), strict=True)),
        }
