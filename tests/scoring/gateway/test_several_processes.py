"""One gateway of two processes, as it is started: whoever is asked, it answers as one."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.conftest import free_port
from tests.scoring.gateway.conftest import DENVER, PROJECT, Providers

pytestmark = pytest.mark.integration

READY_S = 180
END_S = 20
CONNECTIONS = 16
PATIENT = {"X-Deadline-Ms": "5000"}


@pytest.fixture
def url(redis_server: str, bundle: Path, providers: Providers, tmp_path: Path) -> Iterator[str]:
    """A gateway of two processes without an endpoint and a stream; it ends well."""
    for number in range(3):
        providers.add(f"p{number}", km_north=2.0 + number)
    port, nowhere = free_port(), "http://127.0.0.1:1"
    command = [
        sys.executable, "-m", "scoring.gateway.serve", "--workers", "2", "--port", str(port),
        "--redis-url", redis_server, "--project", PROJECT, "--bundle", str(bundle),
        "--endpoint-url", nowhere, "--kinesis-url", nowhere,
    ]  # fmt: skip
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "TMPDIR": str(tmp_path)}
    with (tmp_path / "gateway.log").open("wb") as log:
        process = subprocess.Popen(command, env={**os.environ, **keys}, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(address, process)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(END_S) == 0, (tmp_path / "gateway.log").read_text()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_S
    while True:
        assert process.poll() is None
        assert time.monotonic() < deadline, "the gateway did not get ready"
        try:
            if httpx2.get(f"{url}/readyz").status_code == httpx2.codes.OK:
                return
        except httpx2.HTTPError:
            time.sleep(0.2)


def _at_once(ask: Callable[[], httpx2.Response]) -> set[bytes]:
    """Return the different answers to many connections at the same time."""
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        answers = [pool.submit(ask) for _ in range(4 * CONNECTIONS)]
    return {answer.result().content for answer in answers}


def test_processes_answer_as_one(url: str) -> None:
    """Over many connections the same request has one answer, and every process knows why."""
    location = {"lat": DENVER[0], "lon": DENVER[1]}
    request: dict[str, Any] = {"event_id": "e", "location": location, "service": "tow"}
    answers = {
        httpx2.post(f"{url}/v1/recommendations", json=request, headers=PATIENT).content
        for _ in range(CONNECTIONS)
    }
    assert [b'"rank":1' in answer for answer in answers] == [True], answers
    (table,) = _at_once(lambda: httpx2.get(f"{url}/v1/decisions/e"))
    assert b'"candidates":[{' in table
    (sentence,) = _at_once(lambda: httpx2.get(f"{url}/v1/decisions/e/providers/stranger"))
    assert b"was not considered" in sentence
    (unknown,) = _at_once(lambda: httpx2.get(f"{url}/v1/decisions/another"))
    assert b"not held" in unknown
