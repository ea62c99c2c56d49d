"""The API's description, made from the messages themselves."""

from http import HTTPStatus
from typing import Any

import msgspec

from scoring.gateway.errors import (
    ConflictError,
    DecisionNotFoundError,
    InvalidRequestError,
    NoCandidateError,
    StoreUnavailableError,
)
from scoring.gateway.messages import (
    Decision,
    ErrorBody,
    RecommendationAnswer,
    RecommendationRequest,
)

EXAMPLE_REQUEST = {
    "event_id": "evt-2041",
    "location": {"lat": 39.7392, "lon": -104.9903},
    "service": "tow",
    "vehicle_class": 1,
    "promised_minutes": 45,
    "top_k": 3,
}
_REF = "#/components/schemas/{name}"


def document(version: str) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document."""
    types = (RecommendationRequest, RecommendationAnswer, Decision, ErrorBody)
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    request, answer, decision, error = schemas
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Roadside dispatch ranking",
            "version": version,
            "description": "Ranks the providers who could help a stranded driver, and says why.",
        },
        "components": {"schemas": components},
        "paths": {
            "/v1/recommendations": {
                "post": {
                    "summary": "Rank the providers for one request for help",
                    "requestBody": {
                        "required": True,
                        "content": _json(request, example=EXAMPLE_REQUEST),
                    },
                    "responses": {
                        "200": _answer("The ranking.", answer),
                        **_refusals(
                            error,
                            NoCandidateError,
                            ConflictError,
                            InvalidRequestError,
                            StoreUnavailableError,
                        ),
                    },
                }
            },
            "/v1/decisions/{event_id}": {
                "get": {
                    "summary": "Why: the whole candidate table of one decision",
                    "parameters": [
                        {
                            "name": "event_id",
                            "in": "path",
                            "required": True,
                            "schema": {"type": "string"},
                        }
                    ],
                    "responses": {
                        "200": _answer("The decision as served.", decision),
                        **_refusals(error, DecisionNotFoundError),
                    },
                }
            },
            "/healthz": {"get": _plain("The process is alive.")},
            "/readyz": {"get": _plain("Every dependency, asked now; 503 if one is missing.")},
            "/metrics": {"get": _plain("Metrics in Prometheus' text form.")},
        },
    }


def _json(schema: dict[str, Any], example: object = None) -> dict[str, Any]:
    media: dict[str, Any] = {"schema": schema}
    if example is not None:
        media["example"] = example
    return {"application/json": media}


def _answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": _json(schema)}


def _refusals(error: dict[str, Any], *kinds: type) -> dict[str, Any]:
    return {str(int(_status(kind))): _answer((kind.__doc__ or "").strip(), error) for kind in kinds}


def _status(kind: type) -> HTTPStatus:
    status: HTTPStatus = kind.status  # type: ignore[attr-defined]
    return status


def _plain(description: str) -> dict[str, Any]:
    return {"summary": description, "responses": {"200": {"description": description}}}
