"""The load generator against the emulator."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from benchmarks.streaming.load import Sent
from tests.flink_jobs.emulator import Emulator

pytestmark = pytest.mark.integration

STREAMS = ("provider-gps", "provider-availability", "weather", "traffic", "dispatch-events")
REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    """An emulator with the streams of the load."""
    running = Emulator(tmp_path)
    try:
        running.start()
        for stream in STREAMS:
            running.create(stream, 2)
        yield running
    finally:
        running.stop()


def _load(emulator: Emulator, report: Path, *arguments: str) -> "subprocess.Popen[bytes]":
    port = emulator.url.rsplit(":", 1)[1]
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.streaming.load", "--port", port, "--report",
         str(report), *arguments],
        cwd=REPOSITORY,
    )  # fmt: skip


def test_a_backlog_is_put_whole_with_the_times_of_its_rate(
    emulator: Emulator, tmp_path: Path
) -> None:
    """So many fixes as were asked for, evenly spaced, the newest of now."""
    process = _load(emulator, tmp_path / "r", "--gps", "--rate", "100", "--fill", "3000")
    assert process.wait(60) == 0
    assert msgspec.json.decode((tmp_path / "r").read_bytes(), type=Sent).events == 3000
    times = sorted(event["ts"] for event in emulator.read("provider-gps"))
    assert len(times) == 3000
    assert {after - before for before, after in pairwise(times)} <= {9, 10, 11}
    assert abs(time.time() * 1000 - times[-1]) < 60_000


def test_a_load_ends_when_told_and_every_event_it_counts_is_there(
    emulator: Emulator, tmp_path: Path
) -> None:
    """SIGTERM ends it, with code 0; what it says it put is on the streams, in the right shares."""
    process = _load(emulator, tmp_path / "r", "--rate", "750")
    while not emulator.read("dispatch-events"):
        time.sleep(0.1)
    time.sleep(2)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    counts = {stream: len(emulator.read(stream)) for stream in STREAMS}
    sent = json.loads((tmp_path / "r").read_bytes())
    assert sum(counts.values()) == sent["events"]
    assert counts["provider-gps"] == pytest.approx(sent["events"] * 530 / 750, rel=0.02)
