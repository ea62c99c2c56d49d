"""The messages between gateway and endpoint: MessagePack around little-endian arrays.

A request of 225 candidates and 76 features is 68 KB and decodes without a copy in microseconds;
as JSON it is 0.9 MB and takes milliseconds, more than scoring it does. People who try the
endpoint by hand use the JSON form, see ``json_protocol``.
"""

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from feature_repo.model_matrix import MODEL_FEATURES, MODEL_FINGERPRINT
from scoring.endpoint.errors import FingerprintMismatchError, MalformedRequestError
from scoring.endpoint.scorer import Scores

CONTENT_TYPE = "application/x-msgpack"
MAX_ROWS = 2000
"""Five times the most candidates that one request for help has."""

_FLOAT32 = np.dtype("<f4")
_INT32 = np.dtype("<i4")
_REMEDY = "send a ScoreRequest as scoring.endpoint.protocol.encode_request writes it"


class ScoreRequest(msgspec.Struct, frozen=True):
    """One request's candidates.

    Attributes:
        features_fingerprint: ``model_matrix.MODEL_FINGERPRINT`` of who made the matrix.
        rows: Candidates, n.
        values: The model matrix, float32, little-endian, row by row: 4 * n * f bytes.
        explain_rows: For how many candidates, best score first, contributions are wanted.
    """

    features_fingerprint: str
    rows: int
    values: bytes
    explain_rows: int = 0


class ScoreResponse(msgspec.Struct, frozen=True):
    """The answer; arrays as in ``scorer.Scores``, as little-endian bytes, row by row.

    Attributes:
        bundle_version: Of the bundle that answered.
        scores: float32 [n].
        eta_p50_min: float32 [n].
        eta_p90_min: float32 [n].
        success_probability: float32 [n].
        explained_rows: int32 [k].
        contributions: float32 [k, f].
        expected_score: What contributions are relative to.
    """

    bundle_version: str
    scores: bytes
    eta_p50_min: bytes
    eta_p90_min: bytes
    success_probability: bytes
    explained_rows: bytes
    contributions: bytes
    expected_score: float


class ResponseError(ValueError):
    """What answered is not a ScoreResponse for the request that was sent."""


_encoder = msgspec.msgpack.Encoder()
_request_decoder = msgspec.msgpack.Decoder(ScoreRequest)
_response_decoder = msgspec.msgpack.Decoder(ScoreResponse)


def encode_request(
    matrix: npt.NDArray[np.float32],
    explain_rows: int,
    features_fingerprint: str = MODEL_FINGERPRINT,
) -> bytes:
    """Return the request's body for a model matrix, float32 [n, f]."""
    values = np.ascontiguousarray(matrix, dtype=_FLOAT32).tobytes()
    return _encoder.encode(ScoreRequest(features_fingerprint, len(matrix), values, explain_rows))


def decode_request(body: bytes) -> tuple[npt.NDArray[np.float32], int]:
    """Return the matrix, float32 [n, f] (read-only), and explain_rows.

    Raises:
        MalformedRequestError: The body is not a ScoreRequest, or its sizes do not fit.
        FingerprintMismatchError: The matrix was made with another feature list.
    """
    try:
        request = _request_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedRequestError(
            f"cannot be read ({error})", field="body", value=body[:32], remedy=_REMEDY
        ) from error
    if request.features_fingerprint != MODEL_FINGERPRINT:
        raise FingerprintMismatchError(
            f"is not the bundle's, {MODEL_FINGERPRINT!r}",
            field="features_fingerprint",
            value=request.features_fingerprint,
            remedy="deploy gateway and bundle from the same feature list",
        )
    check_counts(request.rows, request.explain_rows)
    expected_bytes = request.rows * len(MODEL_FEATURES) * _FLOAT32.itemsize
    if len(request.values) != expected_bytes:
        raise MalformedRequestError(
            f"is not {request.rows} rows of {len(MODEL_FEATURES)} float32 features, "
            f"{expected_bytes} bytes",
            field="values",
            value=f"{len(request.values)} bytes",
            remedy=_REMEDY,
        )
    matrix = np.frombuffer(request.values, dtype=_FLOAT32)
    return matrix.reshape(request.rows, len(MODEL_FEATURES)), request.explain_rows


def check_counts(rows: int, explain_rows: int) -> None:
    """Raise MalformedRequestError unless 1 <= rows <= MAX_ROWS and explain_rows >= 0."""
    if not 1 <= rows <= MAX_ROWS:
        raise MalformedRequestError(
            f"is not 1 to {MAX_ROWS}",
            field="rows",
            value=rows,
            remedy="send at least one candidate, and split what is more",
        )
    if explain_rows < 0:
        raise MalformedRequestError(
            "is less than 0",
            field="explain_rows",
            value=explain_rows,
            remedy="send 0 for no contributions",
        )


def encode_response(scores: Scores) -> bytes:
    """Return the answer's body."""
    return _encoder.encode(
        ScoreResponse(
            bundle_version=scores.bundle_version,
            scores=_bytes(scores.scores, _FLOAT32),
            eta_p50_min=_bytes(scores.eta_p50_min, _FLOAT32),
            eta_p90_min=_bytes(scores.eta_p90_min, _FLOAT32),
            success_probability=_bytes(scores.success_probability, _FLOAT32),
            explained_rows=_bytes(scores.explained_rows, _INT32),
            contributions=_bytes(scores.contributions, _FLOAT32),
            expected_score=scores.expected_score,
        )
    )


def decode_response(body: bytes, rows: int) -> Scores:
    """Return the scores of a request that had so many rows; the arrays are read-only.

    Raises:
        ResponseError: The body is not a ScoreResponse, or not for so many rows, or says what no
            model can mean: scores or minutes that are no numbers, chances outside 0 to 1.
    """
    try:
        response = _response_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ResponseError(f"the endpoint's answer cannot be read ({error})") from error
    explained = _array(response.explained_rows, _INT32, "explained_rows", (-1,))
    if len(explained) and not 0 <= explained.min() <= explained.max() < rows:
        raise ResponseError(f"explained_rows: outside the {rows} rows that were sent")
    matrix_shape = (len(explained), len(MODEL_FEATURES))
    return Scores(
        bundle_version=response.bundle_version,
        scores=_numbers(response.scores, "scores", rows),
        eta_p50_min=_numbers(response.eta_p50_min, "eta_p50_min", rows),
        eta_p90_min=_numbers(response.eta_p90_min, "eta_p90_min", rows),
        success_probability=_chances(response.success_probability, "success_probability", rows),
        explained_rows=explained,
        contributions=_array(response.contributions, _FLOAT32, "contributions", matrix_shape),
        expected_score=response.expected_score,
    )


def _bytes(values: npt.NDArray[Any], dtype: np.dtype[Any]) -> bytes:
    return np.ascontiguousarray(values, dtype=dtype).tobytes()


def _numbers(values: bytes, field: str, rows: int) -> npt.NDArray[Any]:
    numbers = _array(values, _FLOAT32, field, (rows,))
    if not np.isfinite(numbers).all():
        raise ResponseError(f"{field}: not all are finite numbers")
    return numbers


def _chances(values: bytes, field: str, rows: int) -> npt.NDArray[Any]:
    chances = _array(values, _FLOAT32, field, (rows,))
    if not ((chances >= 0) & (chances <= 1)).all():  # NaN is neither
        raise ResponseError(f"{field}: not all are between 0 and 1")
    return chances


def _array(
    values: bytes, dtype: np.dtype[Any], field: str, shape: tuple[int, ...]
) -> npt.NDArray[Any]:
    try:
        return np.frombuffer(values, dtype=dtype).reshape(shape)
    except ValueError as error:
        raise ResponseError(
            f"{field}: {len(values)} bytes where shape {shape} of {dtype.name} was expected"
        ) from error
