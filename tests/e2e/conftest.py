"""The whole stack, started as its user starts it, with one provider left to the test to play."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy.local import emulator
from deploy.local.layout import Layout
from deploy.local.ports import Ports, free_offset
from deploy.local.requests import Gateway

REPOSITORY = Path(__file__).parents[2]
PLAYED = "den-00000"
READY_S = 600
STOP_S = 60


@dataclass(frozen=True)
class RunningStack:
    """A running stack and what a test needs of it."""

    process: subprocess.Popen[str]
    layout: Layout
    ports: Ports
    gateway: Gateway
    kinesis: Any


@pytest.fixture(scope="session")
def stack() -> Iterator[RunningStack]:
    """`python -m deploy.local` on free ports, ended with Ctrl-C."""
    offset = free_offset()
    # Kept between runs: history and model are made again only when their code changes.
    layout = Layout(REPOSITORY / ".run" / "e2e")
    layout.logs.mkdir(parents=True, exist_ok=True)
    output = (layout.logs / "stack.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy.local", "--run-dir", str(layout.run_dir),
         "--port-offset", str(offset), "--providers", "150", "--history-hours", "3",
         "--exclude-providers", PLAYED],
        cwd=REPOSITORY, stdout=output, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip
    ports = Ports().shifted(offset)
    gateway = Gateway(ports.gateway)
    try:
        _wait_until_ready(process, layout)
        yield RunningStack(process, layout, ports, gateway, emulator.connect(ports.kinesis))
    finally:
        gateway.close()
        output.close()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(STOP_S)


def _wait_until_ready(process: subprocess.Popen[str], layout: Layout) -> None:
    deadline = time.monotonic() + READY_S
    log = layout.logs / "stack.log"
    while "Ready after" not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.5)
