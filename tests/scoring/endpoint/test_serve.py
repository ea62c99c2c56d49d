import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import msgspec
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from feature_repo.model_matrix import MODEL_FINGERPRINT
from scoring.endpoint import protocol
from scoring.endpoint.scorer import Scorer
from tests.support.bundles import make_matrix

pytestmark = pytest.mark.integration


@contextlib.contextmanager
def _serving(bundle: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start the real process on a free port; yield it and its address once it answers /ping."""
    command = [sys.executable, "-m", "scoring.endpoint.serve", "--model-dir", str(bundle)]
    with subprocess.Popen(
        [*command, "--port", "0", *arguments], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+", process.stdout.readline())
            assert found, "the process ended without an address"
            _wait_for_ping(found[0])
            yield process, found[0]
        finally:
            process.kill() if process.poll() is None else None


def _wait_for_ping(address: str, limit_s: float = 60.0) -> None:
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/ping", timeout=1):  # noqa: S310
            return
        time.sleep(0.1)
    raise TimeoutError(f"{address}/ping did not answer 200 in {limit_s} s")


def _runtime_client(address: str) -> Any:  # boto3 makes the class as it runs
    return boto3.client(
        "sagemaker-runtime",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )


def test_called_as_on_sagemaker(bundle_directory: Path, scorer: Scorer) -> None:
    """boto3's SageMaker client gets the scorer's scores, and a refusal's status and message."""
    matrix = make_matrix(30, seed=8)
    with _serving(bundle_directory) as (_, address):
        client = _runtime_client(address)

        def invoke(body: bytes) -> bytes:
            answer = client.invoke_endpoint(
                EndpointName="ranker",
                ContentType=protocol.CONTENT_TYPE,
                Accept=protocol.CONTENT_TYPE,
                Body=body,
            )
            content: bytes = answer["Body"].read()
            return content

        arrived = protocol.decode_response(invoke(protocol.encode_request(matrix, 5)), rows=30)
        assert (arrived.scores == scorer.score(matrix).scores).all()
        with pytest.raises(ClientError, match=f"is not the bundle's, '{MODEL_FINGERPRINT}'") as e:
            invoke(protocol.encode_request(matrix, 5, features_fingerprint="0" * 16))
        assert e.value.response["ResponseMetadata"]["HTTPStatusCode"] == 409
        assert e.value.response["Error"]["Code"] == "FingerprintMismatchError"
        with pytest.raises(ClientError) as e:
            invoke(b"nonsense")
        assert e.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_sigterm_drains(bundle_directory: Path) -> None:
    """After SIGTERM a request under way is answered, no new one is let in, and it exits with 0."""
    body = protocol.encode_request(make_matrix(20), 2)
    with _serving(bundle_directory) as (process, address):
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=20) as under_way:
            under_way.sendall(
                b"POST /invocations HTTP/1.1\r\nHost: endpoint\r\n"
                + f"Content-Type: {protocol.CONTENT_TYPE}\r\n".encode()
                + f"Content-Length: {len(body)}\r\n\r\n".encode()
                + body[:100]
            )
            time.sleep(0.3)
            process.send_signal(signal.SIGTERM)
            _wait_until_refused(host, int(port))
            under_way.sendall(body[100:])
            assert under_way.recv(4096).startswith(b"HTTP/1.1 200")
        assert process.wait(timeout=20) == 0


def _wait_until_refused(host: str, port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            socket.create_connection((host, port), timeout=1).close()
        except ConnectionRefusedError:
            return
        time.sleep(0.05)
    raise AssertionError("new connections are still accepted")


def test_several_workers_end_together(bundle_directory: Path) -> None:
    """With --workers 2 both processes serve one port, and SIGTERM leaves neither behind."""
    with _serving(bundle_directory, "--workers", "2") as (process, address):
        workers = _worker_processes(process.pid)
        assert len(workers) >= 2
        with urllib.request.urlopen(f"{address}/ping", timeout=10) as answer:  # noqa: S310
            assert msgspec.json.decode(answer.read())["status"] == "ready"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
        _wait_until_gone(workers)


def _worker_processes(parent: int) -> list[int]:
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [int(pid) for pid in children]


def _wait_until_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + 5
    while left := [pid for pid in pids if Path(f"/proc/{pid}").exists()]:
        assert time.monotonic() < deadline, f"still running: {left}"
        time.sleep(0.05)


def _run_until_exit(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scoring.endpoint.serve", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "COLUMNS": "200"},
        check=False,
    )


def test_a_taken_port_is_one_clear_line(bundle_directory: Path) -> None:
    """A taken port ends the process with status 2 and one line that names it and the remedy."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = _run_until_exit("--model-dir", str(bundle_directory), "--port", port)
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert f"127.0.0.1:{port}" in ended.stderr
    assert "--port" in ended.stderr


def test_a_missing_bundle_is_one_clear_line(tmp_path: Path) -> None:
    """A directory without a bundle ends the process with status 2 and one line that names it."""
    ended = _run_until_exit("--model-dir", str(tmp_path))
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert str(tmp_path) in ended.stderr


@pytest.mark.parametrize("arguments", [("--port", "99999"), ("--workers", "0")])
def test_an_impossible_argument_is_refused(arguments: tuple[str, str]) -> None:
    """A port or a number of workers that cannot be is refused with what can be."""
    ended = _run_until_exit(*arguments)
    assert ended.returncode == 2
    assert arguments[1] in ended.stderr
    assert "use" in ended.stderr
