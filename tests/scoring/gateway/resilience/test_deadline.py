from scoring.gateway.resilience.deadline import Deadline
from tests.scoring.gateway.resilience.clocks import StandingClock


def test_what_is_left_shrinks_to_nothing_and_not_below() -> None:
    """The seconds left are the ones until the moment, and 0 after it."""
    clock = StandingClock(100.0)
    deadline = Deadline.after(0.15, clock)
    clock.now_s += 0.1
    assert abs(deadline.remaining_s() - 0.05) < 1e-9
    clock.now_s += 1
    assert deadline.remaining_s() == 0


def test_a_stage_gets_its_limit_or_less_so_that_enough_is_left_for_the_others() -> None:
    """A stage may take what it is given, but never what the stages after it need."""
    clock = StandingClock()
    deadline = Deadline.after(0.15, clock)
    assert deadline.within(0.06, keep_s=0.03) == 0.06
    clock.now_s = 0.1
    assert abs(deadline.within(0.06, keep_s=0.03) - 0.02) < 1e-9
    clock.now_s = 0.14
    assert deadline.within(0.06, keep_s=0.03) == 0
