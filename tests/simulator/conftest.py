"""A small archive, written once."""

from pathlib import Path

import pytest

from simulator import history
from simulator.history import Span
from simulator.reports import Intervals
from simulator.world import WorldSettings

START_S = 1_767_625_200.0
"""2026-01-05 15:00 UTC: morning in Denver."""
SPAN = Span(START_S, START_S + 1800, START_S + 1800 + 2 * 3600)
SETTINGS = WorldSettings(
    providers=60, seed=5, requests_per_hour=120, intervals=Intervals(60.0, 90.0, 120.0)
)


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half an hour of 60 providers."""
    directory = tmp_path_factory.mktemp("archive")
    history.write(SETTINGS, SPAN, directory)
    return directory
