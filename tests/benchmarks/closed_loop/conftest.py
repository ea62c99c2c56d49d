"""A game of some hours in one region."""

import pytest

from benchmarks.closed_loop.game import Game

START_S = 1_794_182_400.0
"""2026-11-09 00:00 UTC."""


@pytest.fixture(scope="session")
def game() -> Game:
    """Some hundred requests; no model plays."""
    return Game(
        start_s=START_S,
        days=0.25,
        providers=100,
        metros=1,
        seeds=(5,),
        policies=("nearest", "oracle"),
    )
