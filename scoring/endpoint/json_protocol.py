"""The endpoint's messages as JSON: for people with ``curl`` and a question, not for the gateway.

Request: ``{"rows": [{"request_time__eta_min": 12.5, ...}, ...], "explain_rows": 1}``; a feature
that is left out, or null, is unknown. Answer: one object a row, contributions by feature name.
"""

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from feature_repo.model_matrix import MODEL_FEATURES
from scoring.endpoint.errors import MalformedRequestError
from scoring.endpoint.protocol import check_counts
from scoring.endpoint.scorer import Scores

CONTENT_TYPE = "application/json"
_POSITIONS = {name: index for index, name in enumerate(MODEL_FEATURES)}


class JsonScoreRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Candidates by feature name; no fingerprint, as each value names its feature."""

    rows: list[dict[str, float | bool | None]]
    explain_rows: int = 0


class JsonRowScore(msgspec.Struct, frozen=True, omit_defaults=True):
    """One candidate's scores; contributions sum to score less the answer's expected_score."""

    score: float
    eta_p50_min: float
    eta_p90_min: float
    success_probability: float
    contributions: dict[str, float] | None = None


class JsonScoreResponse(msgspec.Struct, frozen=True):
    """The rows in the order in which they were sent."""

    bundle_version: str
    expected_score: float
    rows: list[JsonRowScore]


def decode_request(body: bytes) -> tuple[npt.NDArray[np.float32], int]:
    """Return the matrix, float32 [n, f], and explain_rows.

    Raises:
        MalformedRequestError: The body is not of the form above, or names an unknown feature.
    """
    try:
        request = msgspec.json.decode(body, type=JsonScoreRequest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedRequestError(
            f"cannot be read ({error})",
            field="body",
            value=body[:80].decode(errors="replace"),
            remedy='send {"rows": [{"<feature>": <number or null>}], "explain_rows": 1}',
        ) from error
    check_counts(len(request.rows), request.explain_rows)
    matrix = np.full((len(request.rows), len(MODEL_FEATURES)), np.nan, dtype=np.float32)
    for index, row in enumerate(request.rows):
        for name, value in row.items():
            if value is not None:
                matrix[index, _position(name, index)] = value
    return matrix, request.explain_rows


def _position(name: str, row: int) -> int:
    try:
        return _POSITIONS[name]
    except KeyError as error:
        raise MalformedRequestError(
            "is no feature of the model",
            field=f"rows[{row}]",
            value=name,
            remedy="use the names of feature_repo.model_matrix.MODEL_FEATURES",
        ) from error


def encode_response(scores: Scores) -> bytes:
    """Return the answer's body, contributions largest first."""
    explained = {
        int(row): _by_name(contributions)
        for row, contributions in zip(scores.explained_rows, scores.contributions, strict=True)
    }
    rows = [
        JsonRowScore(
            score=float(scores.scores[index]),
            eta_p50_min=float(scores.eta_p50_min[index]),
            eta_p90_min=float(scores.eta_p90_min[index]),
            success_probability=float(scores.success_probability[index]),
            contributions=explained.get(index),
        )
        for index in range(len(scores.scores))
    ]
    answer = JsonScoreResponse(scores.bundle_version, scores.expected_score, rows)
    return msgspec.json.encode(answer)


def _by_name(contributions: npt.NDArray[Any]) -> dict[str, float]:
    order = np.argsort(-np.abs(contributions), kind="stable")
    return {MODEL_FEATURES[i]: float(contributions[i]) for i in order if contributions[i] != 0}
