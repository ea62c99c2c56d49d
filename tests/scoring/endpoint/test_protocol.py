import dataclasses

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from feature_repo.model_matrix import MODEL_FEATURES, MODEL_FINGERPRINT
from scoring.endpoint import protocol
from scoring.endpoint.errors import FingerprintMismatchError, MalformedRequestError
from scoring.endpoint.scorer import Scorer
from tests.support.bundles import make_matrix


@given(
    matrix=arrays.arrays(
        np.float32,
        st.tuples(st.integers(1, 5), st.just(len(MODEL_FEATURES))),
        elements=st.floats(width=32, allow_nan=True),
    ),
    explain_rows=st.integers(0, 10),
)
def test_a_request_comes_back_as_it_went(
    matrix: np.ndarray,  # type: ignore[type-arg]
    explain_rows: int,
) -> None:
    """A matrix arrives bit for bit, NaN and infinities included, whatever its memory order."""
    body = protocol.encode_request(np.asfortranarray(matrix), explain_rows)
    arrived, asked = protocol.decode_request(body)
    np.testing.assert_array_equal(arrived, matrix)
    assert asked == explain_rows


def test_a_response_comes_back_as_it_went(scorer: Scorer) -> None:
    """Every array of an answer arrives with its values, shape and type."""
    scores = scorer.score(make_matrix(20), explain_rows=4)
    arrived = protocol.decode_response(protocol.encode_response(scores), rows=20)
    for field in dataclasses.fields(scores):
        sent, got = getattr(scores, field.name), getattr(arrived, field.name)
        np.testing.assert_array_equal(got, sent)
        assert getattr(got, "dtype", None) == getattr(sent, "dtype", None)


def test_another_fingerprint_is_told_apart() -> None:
    """A matrix of another feature list is refused even if its size fits."""
    body = protocol.encode_request(make_matrix(2), 0, features_fingerprint="f" * 16)
    with pytest.raises(FingerprintMismatchError, match=MODEL_FINGERPRINT):
        protocol.decode_request(body)


def _request_body(**changes: object) -> bytes:
    fields = {
        "features_fingerprint": MODEL_FINGERPRINT,
        "rows": 2,
        "values": make_matrix(2).tobytes(),
        "explain_rows": 0,
    }
    return msgspec.msgpack.encode({**fields, **changes})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"\xc1 nonsense", "body"),
        (msgspec.msgpack.encode({"rows": 2}), "body"),
        (_request_body(rows="two"), "body"),
        (_request_body(rows=3), "values"),
        (_request_body(values=b"123"), "values"),
        (_request_body(rows=0, values=b""), "rows"),
        (_request_body(rows=-1), "rows"),
        (_request_body(rows=10**6), "rows"),
        (_request_body(explain_rows=-1), "explain_rows"),
    ],
)
def test_a_malformed_request_names_the_field(body: bytes, field: str) -> None:
    """A body that is no request, or whose sizes do not fit, is refused by field and remedy."""
    with pytest.raises(MalformedRequestError) as caught:
        protocol.decode_request(body)
    assert caught.value.field == field
    assert caught.value.remedy


def test_an_answer_for_other_rows_is_refused(scorer: Scorer) -> None:
    """An answer for another number of rows than was asked about is not taken."""
    body = protocol.encode_response(scorer.score(make_matrix(20), explain_rows=4))
    with pytest.raises(protocol.ResponseError, match="scores"):
        protocol.decode_response(body, rows=21)


def test_explained_rows_outside_the_request_are_refused(scorer: Scorer) -> None:
    """An answer that explains a row which was not sent is not taken."""
    scores = scorer.score(make_matrix(20), explain_rows=1)
    beyond = dataclasses.replace(scores, explained_rows=np.array([20], dtype=np.int32))
    with pytest.raises(protocol.ResponseError, match="explained_rows"):
        protocol.decode_response(protocol.encode_response(beyond), rows=20)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("scores", np.nan),
        ("eta_p50_min", np.inf),
        ("eta_p90_min", np.nan),
        ("success_probability", 45.0),
        ("success_probability", -0.1),
        ("success_probability", np.nan),
    ],
)
def test_scores_that_no_model_can_mean_are_refused(
    scorer: Scorer, field: str, value: float
) -> None:
    """One score or minute that is no number, or one chance outside 0 to 1: nothing is taken."""
    scores = scorer.score(make_matrix(20), explain_rows=4)
    wrong = getattr(scores, field).copy()
    wrong[13] = value
    body = protocol.encode_response(dataclasses.replace(scores, **{field: wrong}))
    with pytest.raises(protocol.ResponseError, match=field):
        protocol.decode_response(body, rows=20)


def test_an_answer_that_is_no_answer_is_refused() -> None:
    """Bytes that are not a ScoreResponse are not taken."""
    with pytest.raises(protocol.ResponseError, match="cannot be read"):
        protocol.decode_response(b"<html>", rows=1)
