"""The API's description, made from the messages themselves."""

from itertools import groupby
from typing import Any

import msgspec

from scoring.gateway import examples
from scoring.gateway.admit import DEADLINE_MS, LONGEST_DEADLINE_MS
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
    Decision,
    ErrorBody,
    RecommendationAnswer,
    RecommendationRequest,
    WhyNot,
)

Json = dict[str, Any]
Schemas = dict[type, Json]
"""Messages to their schemas."""

_REF = "#/components/schemas/{name}"
_ABOUT = """Ranks the providers who could help a stranded driver, and says why.

**Authentication.** Where the gateway has API keys, everything but `/healthz` and `/readyz` needs
one: `Authorization: Bearer KEY`. Operations make a key with
`python -m scoring.gateway.make_key FILE NAME`; several are valid at a time, so that they can be
changed without a pause. This page asks for the key as a password; the user does not matter.

**Asking again.** An `event_id` stands for one request. The same request again, also while the first
is under way, gets the same answer or the same 404; after 429 and 503 it is tried anew. Another
request with the same `event_id` is a 409.

**Refusals** are JSON: `error` what is wrong, `field` where, `value` what it was, `remedy` what to
do.
"""
_SECURITY: Json = {
    "key": {"type": "http", "scheme": "bearer", "description": "An API key."},
    "browser": {"type": "http", "scheme": "basic", "description": "The API key as password."},
}


def document(version: str) -> Json:
    """Return the OpenAPI 3.1 document."""
    types = (RecommendationRequest, RecommendationAnswer, Decision, WhyNot, ErrorBody)
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    by_type: Schemas = dict(zip(types, schemas, strict=True))
    return {
        "openapi": "3.1.0",
        "info": {"title": "Roadside dispatch ranking", "version": version, "description": _ABOUT},
        "security": [{name: []} for name in _SECURITY],
        "components": {"schemas": components, "securitySchemes": _SECURITY},
        "paths": {
            "/v1/recommendations": {"post": _recommend(by_type)},
            "/v1/decisions/{event_id}": {"get": _decision(by_type)},
            "/v1/decisions/{event_id}/providers/{provider_id}": {"get": _why_not(by_type)},
            "/healthz": {"get": _health()},
            "/readyz": {"get": _readiness()},
            "/metrics": {"get": _metrics()},
        },
    }


def _recommend(schemas: Schemas) -> Json:
    return {
        "operationId": "recommend",
        "summary": "Rank the providers for one request for help",
        "parameters": [_deadline()],
        "requestBody": {
            "required": True,
            "content": _json(schemas[RecommendationRequest], examples.REQUEST),
        },
        "responses": {
            "200": _answer("The ranking.", _json(schemas[RecommendationAnswer], examples.ANSWER)),
            **_refusals(
                schemas,
                UnauthorizedError,
                NoCandidateError,
                ConflictError,
                InvalidRequestError,
                OverloadedError,
                StoreUnavailableError,
            ),
        },
    }


def _decision(schemas: Schemas) -> Json:
    return {
        "operationId": "decision",
        "summary": "Why: the whole candidate table of one decision",
        "parameters": [_in_path("event_id", "evt-2041")],
        "responses": {
            "200": _answer(
                "The decision as served, or as refused.",
                _json(schemas[Decision], examples.DECISION),
            ),
            **_refusals(schemas, UnauthorizedError, DecisionNotFoundError),
        },
    }


def _why_not(schemas: Schemas) -> Json:
    return {
        "operationId": "whyNot",
        "summary": "Why a provider does not stand first in one decision",
        "parameters": [_in_path("event_id", "evt-2041"), _in_path("provider_id", "den-00175")],
        "responses": {
            "200": _answer(
                "What excluded it, held it back or speaks against it; also that it stands first, "
                "or was not considered.",
                _json(schemas[WhyNot], examples.WHY_NOT),
            ),
            **_refusals(schemas, UnauthorizedError, DecisionNotFoundError),
        },
    }


def _health() -> Json:
    return {
        "operationId": "health",
        "summary": "Whether the process is alive",
        "security": [],
        "responses": {"200": _answer("It is.", _text("alive\n"))},
    }


def _readiness() -> Json:
    ready: Json = {
        "type": "object",
        "required": ["ready"],
        "properties": {
            "ready": {"type": "boolean"},
            "checks": {"type": "object", "additionalProperties": {"type": "string"}},
        },
    }
    said = {"feature_store": "80000 providers with a position"}
    away = {"feature_store": "not ready: Connection refused"}
    return {
        "operationId": "readiness",
        "summary": "Whether it can answer: each dependency is asked now, and told to who has a key",
        "security": [],
        "responses": {
            "200": _answer("It can.", _json(ready, {"ready": True, "checks": said})),
            "503": _answer(
                "A dependency that is needed is away.",
                _json(ready, {"ready": False, "checks": away}),
            ),
        },
    }


def _metrics() -> Json:
    return {
        "operationId": "metrics",
        "summary": "Metrics in Prometheus' text form",
        "responses": {
            "200": _answer("Now.", _text('gateway_decisions_total{status="200"} 1041.0\n'))
        },
    }


def _deadline() -> Json:
    return {
        "name": "X-Deadline-Ms",
        "in": "header",
        "required": False,
        "description": "In how many milliseconds an answer is of use.",
        "schema": {
            "type": "integer",
            "minimum": 1,
            "maximum": LONGEST_DEADLINE_MS,
            "default": DEADLINE_MS,
        },
    }


def _in_path(name: str, example: str) -> Json:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "schema": {"type": "string"},
        "example": example,
    }


def _json(schema: Json, example: object) -> Json:
    return {"application/json": {"schema": schema, "example": msgspec.to_builtins(example)}}


def _text(example: str) -> Json:
    return {"text/plain": {"schema": {"type": "string"}, "example": example}}


def _answer(description: str, content: Json) -> Json:
    return {"description": description, "content": content}


def _refusals(schemas: Schemas, *kinds: type[GatewayError]) -> Json:
    """Return a response a status; refusals of one status are its examples, by their class."""
    by_status = groupby(sorted(kinds, key=lambda kind: kind.status), lambda kind: int(kind.status))
    return {
        str(status): _refusal(schemas[ErrorBody], list(of_status))
        for status, of_status in by_status
    }


def _refusal(schema: Json, kinds: list[type[GatewayError]]) -> Json:
    meanings = {kind.__name__: (kind.__doc__ or "").strip() for kind in kinds}
    told = {
        kind.__name__: {
            "summary": meanings[kind.__name__],
            "value": msgspec.to_builtins(examples.ERRORS[kind]),
        }
        for kind in kinds
    }
    return _answer(
        " ".join(meanings.values()), {"application/json": {"schema": schema, "examples": told}}
    )
