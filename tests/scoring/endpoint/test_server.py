from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.applications import Starlette

from scoring.endpoint import json_protocol, protocol, server
from scoring.endpoint.scorer import Scorer
from tests.support.bundles import make_matrix

BINARY = {"content-type": protocol.CONTENT_TYPE}


@pytest.fixture
def app(scorer: Scorer) -> Starlette:
    """The application, not yet started."""
    return server.create_app(scorer)


@pytest.fixture
async def client(app: Starlette) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the started application."""
    async with app.router.lifespan_context(app), _client(app) as started:
        yield started


def _client(app: Starlette) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://endpoint")


async def test_ping_is_503_until_warm(app: Starlette) -> None:
    """/ping says 200 only while the application is started and warm."""
    async with _client(app) as client:
        assert (await client.get("/ping")).status_code == 503
        async with app.router.lifespan_context(app):
            answer = await client.get("/ping")
            assert (answer.status_code, answer.json()["bundle_version"]) == (200, "test-0-40")
        assert (await client.get("/ping")).status_code == 503


@pytest.mark.parametrize("path", ["/invocations", "/endpoints/any-name/invocations"])
async def test_a_binary_request(client: httpx2.AsyncClient, scorer: Scorer, path: str) -> None:
    """Both paths answer a binary request with the scorer's own scores, in the binary form."""
    matrix = make_matrix(40, seed=2)
    answer = await client.post(path, content=protocol.encode_request(matrix, 3), headers=BINARY)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == protocol.CONTENT_TYPE
    arrived = protocol.decode_response(answer.content, rows=40)
    expected = scorer.score(matrix, 3)
    assert (arrived.scores == expected.scores).all()
    assert (arrived.contributions == expected.contributions).all()


async def test_json_for_people(client: httpx2.AsyncClient) -> None:
    """A JSON request is answered in JSON, its content type's charset notwithstanding."""
    answer = await client.post(
        "/invocations",
        content=b'{"rows": [{"request_time__eta_min": 5}], "explain_rows": 1}',
        headers={"content-type": "application/json; charset=utf-8"},
    )
    assert answer.status_code == 200
    assert answer.json()["rows"][0]["contributions"]


async def test_the_accept_header_chooses_the_answer(client: httpx2.AsyncClient) -> None:
    """A binary request may ask for a JSON answer."""
    answer = await client.post(
        "/invocations",
        content=protocol.encode_request(make_matrix(1), 0),
        headers={**BINARY, "accept": "text/html, application/json"},
    )
    assert answer.headers["content-type"] == json_protocol.CONTENT_TYPE


@pytest.mark.parametrize(
    ("body", "headers", "status", "field"),
    [
        (b"nonsense", BINARY, 400, "body"),
        (protocol.encode_request(make_matrix(1), 0, "0" * 16), BINARY, 409, "features_fingerprint"),
        (b"1,2,3", {"content-type": "text/csv"}, 415, "Content-Type"),
        (b"", {}, 415, "Content-Type"),
        (b"", {**BINARY, "accept": "text/csv"}, 406, "Accept"),
        (b"x" * (server.MAX_BODY_BYTES + 1), BINARY, 413, "body"),
    ],
)
async def test_refusals(
    client: httpx2.AsyncClient, body: bytes, headers: dict[str, str], status: int, field: str
) -> None:
    """Each refusal has its status and says, as JSON, which field, what value and what to do."""
    answer = await client.post("/invocations", content=body, headers=headers)
    assert answer.status_code == status
    refusal = answer.json()
    assert refusal["field"] == field
    assert refusal["remedy"]
    assert refusal["remedy"] in refusal["message"]
    assert refusal["code"].endswith("Error")


async def test_a_long_body_of_unknown_length_is_cut_off(client: httpx2.AsyncClient) -> None:
    """A body without Content-Length is refused as soon as it is too long, not read to its end."""
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 100 * server.MAX_BODY_BYTES:
            sent += 2**20
            yield b"x" * 2**20

    answer = await client.post("/invocations", content=endless(), headers=BINARY)
    assert answer.status_code == 413
    assert sent <= server.MAX_BODY_BYTES + 2 * 2**20
