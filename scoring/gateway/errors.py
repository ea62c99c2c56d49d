"""Every way in which the gateway refuses, and the HTTP status of each.

The way of a request::

    POST /v1/recommendations
      │ headers
      ▼
    auth ─────── UnauthorizedError 401, where API keys are configured
      │ bytes
      ▼
    admit ────── InvalidRequestError 422, ConflictError 409 (event_id used for another request),
      │          OverloadedError 429
      │ RecommendationRequest
      ▼
    retrieve ─┐  from Redis, or from what was read last; StoreUnavailableError 503 where neither
      ▼       │  is there
    read ─────┘
      │ columns, one value a candidate
      ▼
    eligible ─── NoCandidateError 404, with how many were excluded and why
      │ the candidates who may be sent
      ▼
    score ────── never refuses: endpoint, then the bundle in process, then the rule
      │ scores, minutes, chances
      ▼
    policy, explain ─ never refuse
      │ Decision
      ▼
    answer; the decision log takes a copy, off the request's path

The answer to one event_id, a 404 of ``eligible`` too, is kept and given again (``replies``).
``GET /v1/decisions/{event_id}`` and what is below it raise ``DecisionNotFoundError`` 404.
"""

from http import HTTPStatus

from scoring.refusal import Refusal


class GatewayError(Refusal):
    """A refusal of the gateway."""


class UnauthorizedError(GatewayError):
    """The request has no valid API key."""

    status = HTTPStatus.UNAUTHORIZED


class InvalidRequestError(GatewayError):
    """The body is not a recommendation request."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class ConflictError(GatewayError):
    """The event_id was used before, for a request that says something else."""

    status = HTTPStatus.CONFLICT


class NoCandidateError(GatewayError):
    """Nobody near may be sent; the message counts the exclusions by code."""

    status = HTTPStatus.NOT_FOUND


class DecisionNotFoundError(GatewayError):
    """No decision for this event_id is held any more."""

    status = HTTPStatus.NOT_FOUND


class StoreUnavailableError(GatewayError):
    """Redis did not answer, and nothing is known of the candidates from before."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


class OverloadedError(GatewayError):
    """There is more to do than can be done in time; nothing was begun."""

    status = HTTPStatus.TOO_MANY_REQUESTS


class ConfigurationError(ValueError):
    """A setting or the policy file is wrong; the gateway does not start. Names the remedy."""
