"""A record of the decision log, as far as it is analysed, and its rows.

The gateway's own structs stand in a room that training may not import; a test holds them to these.
"""

from collections.abc import Iterator
from typing import Any

import h3
import msgspec

from feature_repo.model_matrix import MODEL_FEATURES, MODEL_FINGERPRINT
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


class Ranked(msgspec.Struct, frozen=True):
    """Who could be sent, best first: a list a column."""

    provider_id: list[str]
    score: list[float]
    success_probability: list[float]
    propensity: list[float]


class Excluded(msgspec.Struct, frozen=True):
    """Who could not, and the code of why."""

    provider_id: list[str]
    excluded: list[str]


class DecisionRecord(msgspec.Struct, frozen=True):
    """One decision; ``features`` has the model's input of the providers that were shown."""

    request: Request
    answer: Answer
    ranked: Ranked
    policy_actions: dict[str, list[str]]
    excluded: Excluded
    features: dict[str, list[float | None]]


class RecordError(ValueError):
    """A record is not a decision that this code can read; the message says why."""


_DECODER = msgspec.json.Decoder(DecisionRecord)
_NOT_SCORED = {"rank": None, "score": None, "success_probability": None, "propensity": None}


def decode(data: bytes) -> DecisionRecord:
    """Return the decision of a record.

    Raises:
        RecordError: It is not one, or its features are not this code's.
    """
    try:
        decision = _DECODER.decode(data)
    except msgspec.DecodeError as error:
        raise RecordError(f"it is no decision: {error}") from error
    if decision.answer.versions.features != MODEL_FINGERPRINT:
        raise RecordError(
            f"decision {decision.request.event_id!r} has the feature list "
            f"{decision.answer.versions.features}, not this code's: read it with the code that "
            "served it"
        )
    if any(len(values) != len(MODEL_FEATURES) for values in decision.features.values()):
        raise RecordError(f"decision {decision.request.event_id!r} lacks values of features")
    for table in (decision.ranked, decision.excluded):
        if len({len(getattr(table, column)) for column in table.__struct_fields__}) > 1:
            raise RecordError(f"decision {decision.request.event_id!r} has columns unequally long")
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
    for candidate in _candidates(decision):
        values = decision.features.get(candidate["provider_id"])
        yield {
            **of_decision,
            **candidate,
            "policy_actions": ",".join(decision.policy_actions.get(candidate["provider_id"], [])),
            "shown": values is not None,
            **dict(zip(MODEL_FEATURES, values or [None] * len(MODEL_FEATURES), strict=True)),
        }


def _candidates(decision: DecisionRecord) -> Iterator[Row]:
    """Yield what there is of each candidate: the ranked ones, then the excluded."""
    ranked, excluded = decision.ranked, decision.excluded
    names = ranked.__struct_fields__
    columns = zip(*(getattr(ranked, name) for name in names), strict=True)
    for rank, values in enumerate(columns, start=1):
        yield {"excluded": None, "rank": rank, **dict(zip(names, values, strict=True))}
    for provider_id, code in zip(excluded.provider_id, excluded.excluded, strict=True):
        yield {"provider_id": provider_id, "excluded": code, **_NOT_SCORED}
