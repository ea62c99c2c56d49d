"""What became of a request, against cases worked out by hand."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from benchmarks.closed_loop.ledger import Ledger, row_of
from simulator.journal import Decision, Outcome


@dataclass
class _Decided:
    """As much of a decision as a row is made of: asked at 1000 s, promised in 20 minutes."""

    outcomes: list[Outcome]
    offers_made: int
    candidates: int = 8
    first: int = 0
    request: Any = field(
        default_factory=lambda: SimpleNamespace(
            event_id="e", time_s=1000.0, promised_minutes=20.0, patience_minutes=40.0
        )
    )

    @property
    def offer_rank(self) -> np.ndarray:
        return np.zeros(self.candidates, dtype=np.int64)

    @property
    def ranking(self) -> Any:
        return SimpleNamespace(order=np.arange(self.candidates))

    @property
    def success_probability(self) -> np.ndarray:
        return np.linspace(0.5, 0.1, self.candidates)


def _offer(who: str, offered_s: float = 1003.0, **became: Any) -> Outcome:
    return Outcome(
        "e", who, offered_s, offered_s + 1200, became.pop("recorded_s", 1003.0), **became
    )


def _row(outcomes: list[Outcome], offers: int = 1, **other: Any) -> dict[str, Any]:
    return row_of(cast(Decision, _Decided(outcomes, offers, **other)))


def test_on_time_alone_is_a_success() -> None:
    """One who accepts, is there within the promise and completes is a success by both counts."""
    row = _row([_offer("a", accepted=True, arrived_s=1900.0, completed_s=2500.0)])
    assert row["success"]
    assert row["success_by_offer"]
    assert row["minutes_to_arrival"] == 15.0
    assert (row["end"], row["served_by"], row["redispatched"]) == ("completed", "a", False)
    assert row["first_choice_chance"] == 0.5


def test_the_promise_counts_from_the_request() -> None:
    """After a refusal, an arrival in time for its own offer can be late for the driver."""
    late = [
        _offer("a", accepted=False),
        _offer("b", 1093.0, accepted=True, arrived_s=2250.0, completed_s=2500.0),
    ]
    row = _row(late, 2)
    assert row["minutes_to_arrival"] == pytest.approx(1250 / 60)
    assert not row["success"]
    assert row["success_by_offer"]
    assert not row["redispatched"]


def test_a_second_accept_is_a_redispatch_and_no_success() -> None:
    """However soon the second one arrives."""
    twice = [
        _offer("a", accepted=True, cancelled_s=1300.0),
        _offer("b", 1300.0, accepted=True, arrived_s=1500.0, completed_s=2500.0),
    ]
    row = _row(twice, 2)
    assert row["redispatched"]
    assert not row["success"]
    assert not row["success_by_offer"]
    assert (row["end"], row["served_by"]) == ("completed", "b")


def test_a_correction_is_not_a_second_accept() -> None:
    """A job first booked as cancelled counts once, as it was put right."""
    booked = [
        _offer("a", accepted=True, arrived_s=1900.0, cancelled_s=2500.0),
        _offer("a", accepted=True, arrived_s=1900.0, completed_s=2500.0, recorded_s=9700.0),
    ]
    row = _row(booked)
    assert row["success"]
    assert not row["redispatched"]


@pytest.mark.parametrize(
    ("offers", "cancelled_s", "end"),
    [(1, 3400.0, "driver_left"), (6, 3400.0, "driver_left"), (6, 2000.0, "nobody")],
)
def test_who_ended_it(offers: int, cancelled_s: float, end: str) -> None:
    """An accepted job that ends with offers left, or as patience does, is the driver's doing."""
    row = _row([_offer("a", accepted=True, cancelled_s=cancelled_s)], offers)
    assert row["end"] == end
    assert not row["success"]
    assert np.isnan(row["minutes_to_arrival"])


def test_nobody_accepts() -> None:
    """Refusals only end without anybody."""
    assert _row([_offer("a", accepted=False), _offer("b", accepted=False)], 2)["end"] == "nobody"


def test_a_world_that_stopped_early_is_refused() -> None:
    """Open decisions are not left out silently."""
    ledger = Ledger()
    ledger.opened(cast(Decision, _Decided([], 0)))
    with pytest.raises(ValueError, match="1 decisions are still open, e"):
        ledger.frame()
