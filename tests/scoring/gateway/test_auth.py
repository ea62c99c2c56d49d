import stat
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from scoring.gateway.api_keys import ApiKey, load_keys, name_of, new_key
from scoring.gateway.auth import RequireKey
from scoring.gateway.errors import ConfigurationError
from scoring.gateway.make_key import main as make_key
from scoring.gateway.reloaded import Reloaded

PATHS = ["/v1/recommendations", "/v1/decisions/e", "/metrics", "/docs", "/openapi.json",
         "/healthz", "/readyz", "/docs/assets/x", "/healthz/", "//healthz"]  # fmt: skip
OPEN = {"/healthz", "/readyz"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the key file is."""
    return tmp_path / "keys.yaml"


def _add(path: Path, name: str, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    """Make a key by the command; return it."""
    capsys.readouterr()
    assert make_key([str(path), name, *more]) == 0
    return capsys.readouterr().out.strip()


def _client(keys: Reloaded[list[ApiKey]] | None) -> TestClient:
    async def told(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(request.scope["api_key"]))

    routes = [Route("/{path:path}", told, methods=["GET", "POST"])]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(RequireKey, keys=keys)]))


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_nothing_but_health_is_there_without_a_key(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With keys configured every other path is 401, says how to authenticate, and tells no more."""
    _add(path, "desk", capsys)
    client = _client(Reloaded(path, load_keys))
    statuses = {place: client.get(place).status_code for place in PATHS}
    assert {place for place, status in statuses.items() if status == 200} == OPEN
    refused = client.get("/docs")
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Bearer, Basic")
    assert "Authorization: Bearer" in refused.json()["remedy"]


@pytest.mark.parametrize(
    "given",
    [
        "", "Bearer", "Bearer ", "Bearer wrong", "Bearer rdr_", "Basic", "Basic !", "Basic ////",
        "Digest KEY", "KEY", "Bearer KEYx", "Basic " + b64encode(b"KEY:").decode(),
    ],
)  # fmt: skip
def test_what_is_no_key_is_refused(
    path: Path, capsys: pytest.CaptureFixture[str], given: str
) -> None:
    """A wrong key, a wrong scheme or a header that is no header is 401, never 500."""
    key = _add(path, "desk", capsys)
    client = _client(Reloaded(path, load_keys))
    answer = client.get("/docs", headers={"Authorization": given.replace("KEY", key)})
    assert answer.status_code == 401


def test_a_key_is_taken_as_bearer_or_as_a_browsers_password(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Programs send the key as a bearer token; a browser asks, and sends it as a password."""
    key = _add(path, "desk", capsys)
    client = _client(Reloaded(path, load_keys))
    assert client.get("/docs", headers=_bearer(key)).text == "desk"
    assert client.get("/docs", auth=("anybody", key)).text == "desk"


def test_keys_rotate_without_a_restart(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A new key is valid beside the old one as soon as the file is; a removed one no more."""
    old = _add(path, "old", capsys)
    keys = Reloaded(path, load_keys)
    client = _client(keys)
    new = _add(path, "new", capsys)
    assert client.get("/docs", headers=_bearer(new)).status_code == 401
    keys.refresh()
    assert client.get("/docs", headers=_bearer(old)).text == "old"
    assert client.get("/docs", headers=_bearer(new)).text == "new"
    assert make_key([str(path), "old", "--remove"]) == 0
    keys.refresh()
    assert client.get("/docs", headers=_bearer(old)).status_code == 401
    assert client.get("/docs", headers=_bearer(new)).text == "new"


def test_a_broken_or_emptied_file_locks_nobody_out_nor_in(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that turns wrong leaves the keys in use; an empty one is wrong, not an open door."""
    key = _add(path, "desk", capsys)
    keys = Reloaded(path, load_keys)
    client = _client(keys)
    for text in ("[]", "- name: x", "{", ""):
        path.write_text(text)
        keys.refresh()
        assert client.get("/docs", headers=_bearer(key)).text == "desk"
        assert client.get("/docs").status_code == 401


def test_an_expired_key_is_refused() -> None:
    """A key is valid until its time, not after."""
    key, entry = new_key("desk", datetime.now(UTC) + timedelta(hours=1))
    assert name_of(key, [entry]) == "desk"
    ended = ApiKey(entry.name, entry.sha256, datetime.now(UTC) - timedelta(seconds=1))
    assert name_of(key, [ended]) is None


def test_without_keys_everybody_may_ask() -> None:
    """A gateway on a loopback address without keys answers, also the details of readiness."""
    assert _client(None).get("/docs").status_code == 200


def test_the_file_has_no_key_and_is_its_owners(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file holds hashes only, is readable by its owner only, and keys are all different."""
    keys = [_add(path, name, capsys, "--days", "30") for name in ("a", "b")]
    assert keys[0] != keys[1]
    assert not any(key in path.read_text() for key in keys)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert all(len(key) >= 43 for key in keys)
    assert all(entry.expires is not None for entry in load_keys(path))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["desk"], "already"),
        (["nobody", "--remove"], "no key is called 'nobody'"),
        (["desk", "--remove"], "only key"),
    ],
)
def test_the_command_refuses_what_would_lock_somebody_out(
    path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    """A second key of a name, removing an unknown one or the last one: refused with the remedy."""
    _add(path, "desk", capsys)
    before = path.read_text()
    assert make_key([str(path), *arguments]) == 2
    assert told in capsys.readouterr().err
    assert path.read_text() == before


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- {name: a, sha256: abc}", r"\[0\]\.sha256"),
        ("- {name: a}", r"\[0\]\.sha256: .* 'absent'"),
        ("- {name: a, sha256: x, key: y}", "sha256|key"),
        ("a: b", "the file"),
        ("[]", "has no key"),
    ],
)
def test_a_wrong_key_file_is_told_by_field(path: Path, text: str, told: str) -> None:
    """A key file that is wrong names itself, the field and the command that makes a right one."""
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=told) as caught:
        load_keys(path)
    assert "make_key" in str(caught.value)
    assert str(path) in str(caught.value)
