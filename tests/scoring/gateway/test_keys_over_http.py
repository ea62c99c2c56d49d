from pathlib import Path

import pytest
from starlette.testclient import TestClient

from scoring.gateway.api_keys import ApiKey, load_keys
from scoring.gateway.make_key import main as make_key
from scoring.gateway.reloaded import Reloaded

pytestmark = pytest.mark.integration


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """A file with one key."""
    path = tmp_path / "keys.yaml"
    assert make_key([str(path), "desk"]) == 0
    return path


@pytest.fixture
def keys(key_file: Path, capsys: pytest.CaptureFixture[str]) -> Reloaded[list[ApiKey]]:
    """The keys of the gateway under test."""
    capsys.readouterr()
    return Reloaded(key_file, load_keys)


def test_every_route_but_health_asks_for_a_key(
    gateway: TestClient, key_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of all that the document describes, only health and readiness answer without a key."""
    assert make_key([str(key_file), "test"]) == 0
    bearer = {"Authorization": f"Bearer {capsys.readouterr().out.strip()}"}
    while gateway.get("/openapi.json", headers=bearer).status_code == 401:
        pass  # until the file has been looked at again
    described = gateway.get("/openapi.json", headers=bearer).json()
    answers = {
        (path, method): gateway.request(method, path.replace("{event_id}", "e"), content=b"{}")
        for path, methods in described["paths"].items()
        for method in methods
    }
    refused = {path for (path, _), answer in answers.items() if answer.status_code == 401}
    assert set(described["paths"]) - refused == {"/healthz", "/readyz"}
    assert answers["/readyz", "get"].json() == {"ready": False}
    assert "checks" in gateway.get("/readyz", headers=bearer).json()
    for path in ("/docs", "/docs/assets/swagger-ui.css", "/openapi.json"):
        assert gateway.get(path).status_code == 401
        assert gateway.get(path, headers=bearer).status_code == 200
