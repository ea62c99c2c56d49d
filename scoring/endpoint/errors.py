"""Every way in which the endpoint refuses, and the HTTP status of each.

The way of a request::

    POST /invocations
      │ bytes
      ▼
    limits ──────────── PayloadTooLargeError 413, UnsupportedContentTypeError 415
      │ at most MAX_BODY_BYTES, a content type that we read
      ▼
    protocol.decode ─── MalformedRequestError 400, FingerprintMismatchError 409
      │ float32 [n, f], explain_rows
      ▼
    Scorer.score ────── nothing foreseeable; anything else is a bug and answers 500
      │ Scores
      ▼
    protocol.encode ─── NotAcceptableError 406
      │ bytes
      ▼
    answer

Before any request, ``bundle.load_scorer`` raises ``BundleError`` (a file is missing, another
feature list, unreadable) or ``UnsupportedModelError``: the server does not start.
"""

from http import HTTPStatus

from feature_repo.bundle_manifest import BundleError
from scoring.refusal import Refusal

__all__ = [
    "BundleError",
    "FingerprintMismatchError",
    "MalformedRequestError",
    "NotAcceptableError",
    "PayloadTooLargeError",
    "RequestError",
    "UnsupportedContentTypeError",
    "UnsupportedModelError",
]


class UnsupportedModelError(BundleError):
    """The model is of a form whose contributions cannot be computed exactly here."""


class RequestError(Refusal):
    """A request that cannot be answered as it is."""

    status = HTTPStatus.BAD_REQUEST


class MalformedRequestError(RequestError):
    """The body is not a score request, or its sizes do not fit together."""


class NotAcceptableError(RequestError):
    """The answer is asked for in a form that we do not write."""

    status = HTTPStatus.NOT_ACCEPTABLE


class FingerprintMismatchError(RequestError):
    """The matrix was made with another feature list than the bundle's."""

    status = HTTPStatus.CONFLICT


class PayloadTooLargeError(RequestError):
    """The body is larger than SageMaker itself would let through."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class UnsupportedContentTypeError(RequestError):
    """The body is of a content type that we do not read."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
