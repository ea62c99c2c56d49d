"""Playing in real time, and the command line."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from simulator import live
from simulator.__main__ import main
from simulator.case import Event
from simulator.world import World
from tests.simulator.conftest import SETTINGS


class _Recorder:
    """Stands in for the publisher and stops the play after some rounds."""

    def __init__(self, rounds: int, stop: threading.Event) -> None:
        self.rounds: list[list[Event]] = []
        self._most, self._stop = rounds, stop

    def publish(self, events: Sequence[Event]) -> None:
        self.rounds.append(list(events))
        if len(self.rounds) == self._most:
            self._stop.set()


def test_play_starts_with_everything_and_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first round is the whole state, later ones are stamped with the time that passed."""
    monkeypatch.setattr(live, "_TICK_S", 0.05)
    stop = threading.Event()
    recorder = _Recorder(4, stop)
    began = time.time()
    world = World(SETTINGS, began, "live")
    total = live.play(world, recorder, live.Pace(), stop)  # type: ignore[arg-type]
    assert len(recorder.rounds) == 4
    assert total == sum(map(len, recorder.rounds))
    assert len(recorder.rounds[0]) > len(SETTINGS.intervals.__dict__) * 60
    assert all(e.ts <= time.time() * 1000 + 1 for events in recorder.rounds for e in events)


def test_history_command_tells_what_it_wrote(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command writes an archive and says how many events of each stream."""
    size = ["--providers", "20", "--hours", "0.2", "--tail-hours", "0.2"]
    code = main(["history", "--out", str(tmp_path), *size, "--requests-per-hour", "200"])
    assert code == 0
    assert "provider-gps" in capsys.readouterr().out
    assert list((tmp_path / "outcomes").glob("date=*/den.parquet"))


def test_foreseeable_mistakes_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An endpoint that nobody answers on is one line on stderr and exit code 2."""
    del tmp_path
    code = main(["live", "--endpoint-url", "http://127.0.0.1:1", "--providers", "5"])
    assert code == 2
    error = capsys.readouterr().err
    assert error.startswith("simulator: Kinesis cannot be reached")
    assert error.count("\n") == 1
