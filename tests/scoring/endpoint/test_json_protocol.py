import msgspec
import numpy as np
import pytest

from feature_repo.model_matrix import MODEL_FEATURES
from scoring.endpoint import json_protocol
from scoring.endpoint.errors import MalformedRequestError
from scoring.endpoint.scorer import Scorer
from tests.support.bundles import make_matrix


def test_features_by_name() -> None:
    """Values land in the column of their name; what is null or left out is unknown."""
    body = b'{"rows": [{"request_time__eta_min": 12.5, "provider_profile__can_tow": true}, {}]}'
    matrix, explain_rows = json_protocol.decode_request(body)
    assert explain_rows == 0
    assert matrix[0, MODEL_FEATURES.index("request_time__eta_min")] == 12.5
    assert matrix[0, MODEL_FEATURES.index("provider_profile__can_tow")] == 1.0
    assert np.isnan(matrix).sum() == 2 * len(MODEL_FEATURES) - 2


def test_the_answer_for_people(scorer: Scorer) -> None:
    """The explained row, and no other, carries contributions by name, the largest first."""
    scores = scorer.score(make_matrix(6), explain_rows=1)
    answer = msgspec.json.decode(
        json_protocol.encode_response(scores), type=json_protocol.JsonScoreResponse
    )
    best = int(scores.explained_rows[0])
    assert [row.contributions is not None for row in answer.rows] == [i == best for i in range(6)]
    contributions = answer.rows[best].contributions
    assert contributions is not None
    sizes = [abs(value) for value in contributions.values()]
    assert sizes == sorted(sizes, reverse=True)
    total = sum(contributions.values()) + answer.expected_score
    assert total == pytest.approx(answer.rows[best].score, abs=1e-5)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{", "body"),
        (b'{"rows": [{"request_time__eta_min": "soon"}]}', "body"),
        (b'{"rows": [], "explain": 1}', "body"),
        (b'{"rows": []}', "rows"),
        (b'{"rows": [{}, {"eta": 3}]}', "rows[1]"),
    ],
)
def test_a_malformed_request_names_the_field(body: bytes, field: str) -> None:
    """A body that cannot be used is refused by field, value and remedy."""
    with pytest.raises(MalformedRequestError) as caught:
        json_protocol.decode_request(body)
    assert caught.value.field == field
    assert caught.value.remedy
