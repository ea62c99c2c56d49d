import pytest

from benchmarks.chaos.asker import Answer
from benchmarks.chaos.cases import FAULTS, LOADS, RUNGS, Case, Phases, cases, failures
from benchmarks.chaos.fault_proxy import Fault
from benchmarks.chaos.stack import Dependency

RUNG = RUNGS[Dependency.REDIS]
STEADY = Case("steady", Dependency.REDIS, Fault.RESET)
SURGE = Case("surge", Dependency.REDIS, Fault.RESET)


def _answers(count: int = 100, status: int = 200, ms: float = 20.0, *rungs: str) -> list[Answer]:
    who = ("p1",) if status == 200 else ()
    return [Answer("e", 0.0, status, ms, rungs, who) for _ in range(count)]


GOOD = _answers(100, 200, 20.0, RUNG)


def test_the_matrix_is_whole() -> None:
    """Every fault is done to every dependency under every load, and each load runs without one."""
    made = list(cases())
    assert len(set(made)) == len(made) == len(LOADS) * (1 + len(FAULTS) * len(Dependency))


def test_a_case_that_goes_as_promised_has_no_failure() -> None:
    """All ranked on the fault's rung, in time, and healthy afterwards; refusals in a surge only."""
    assert failures(STEADY, Phases(GOOD, _answers())) == []
    assert failures(SURGE, Phases(GOOD + _answers(300, 429, 3.0), [])) == []
    assert failures(Case("steady"), Phases(_answers(), _answers())) == []


@pytest.mark.parametrize(
    ("during", "after", "named"),
    [
        (GOOD + _answers(1, 500), _answers(), "status [500]"),
        (GOOD + _answers(1, 429), _answers(), "status [429]"),
        (GOOD + _answers(1, 0), _answers(), "status [0]"),
        (GOOD + _answers(2, 200, 151.0, RUNG), _answers(), "p99 of 151 ms"),
        (_answers(), _answers(), "not named"),
        (GOOD + _answers(10, 200, 20.0, RUNG, "another"), _answers(), "without reason"),
        (GOOD, GOOD, "not recovered"),
        ([Answer("e", 0.0, 200, 20.0, (RUNG,), ())], _answers(), "rankings of nobody"),
    ],
)
def test_every_broken_promise_is_named(
    during: list[Answer], after: list[Answer], named: str
) -> None:
    """A wrong status, a late answer, a rung that is missing or too many, or that stays."""
    (found,) = failures(STEADY, Phases(during, after))
    assert named in found
