"""Every fault to every dependency under every load, through a proxy, against the real processes."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from benchmarks.chaos.asker import Answer, Asker
from benchmarks.chaos.cases import DELAY_S, OVERLOAD_RUNG, RUNGS
from benchmarks.chaos.fault_proxy import Fault
from benchmarks.chaos.stack import Dependency, Stack
from scoring.gateway.resilience.admission import CALM_S

pytestmark = pytest.mark.integration

FAULTS = (Fault.LATENCY, Fault.RESET, Fault.BLACKHOLE, Fault.SLOW_CLOSE)
RATE, SECONDS = 15.0, 1.5
SURGE = 120
"""Requests at once: several times what may be in work and wait."""
TOWN = {f"p{number:03}" for number in range(200)}
PATIENCE_S = 40.0
_MORE_ALLOWED = {OVERLOAD_RUNG, "model_unavailable_rule_score", *RUNGS.values()}
"""What a busy machine may add to a fault's own rung."""

Asking = Callable[[Asker], Coroutine[Any, Any, list[Answer]]]
LOADS: dict[str, Asking] = {
    "steady": lambda asker: asker.ask(RATE, SECONDS),
    "surge": lambda asker: asker.ask_at_once(SURGE),
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Redis, endpoint and gateway, each a process."""
    with Stack(tmp_path_factory.mktemp("faults")) as stack:
        yield stack


@pytest.fixture
def healthy(stack: Stack) -> Iterator[Stack]:
    """The stack without a fault, before the test and after."""
    stack.refresh()
    _until_healthy(stack)
    time.sleep(CALM_S)  # else a stall of this machine is judged as part of the last test's surge
    yield stack
    for dependency in Dependency:
        stack.heal(dependency, killed=False)


def _until_healthy(stack: Stack) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while _ask(stack, lambda asker: asker.ask(10, 0.5), degraded=True):
        assert time.monotonic() < deadline, "the gateway does not recover"


def _ask(stack: Stack, asking: Asking, *, degraded: bool = False) -> list[Answer]:
    """Return the answers, or only those that are none or degraded."""

    async def ask() -> list[Answer]:
        asker = Asker(stack.gateway_port, seed=0)
        answers = await asking(asker)
        asker.close()
        return answers

    answers = asyncio.run(ask())
    return [a for a in answers if not degraded or a.degraded or a.status != 200]


@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("dependency", list(Dependency))
def test_a_fault_costs_a_rung_and_no_answer(
    healthy: Stack, dependency: Dependency, fault: Fault, load: str
) -> None:
    """Each answer is a ranking of providers who may be sent, or 429; the rung is named, counted."""
    rung = RUNGS[dependency]
    counter = f"gateway_degraded_total|{rung}"
    before = healthy.metrics().get(counter, 0.0)
    healthy.proxies[dependency].set(fault, DELAY_S)
    answers = _ask(healthy, LOADS[load])
    assert {answer.status for answer in answers} <= ({200} if load == "steady" else {200, 429})
    ranked = [answer for answer in answers if answer.status == 200]
    assert ranked
    assert all(answer.provider_ids and TOWN.issuperset(answer.provider_ids) for answer in ranked)
    on_rung = [answer for answer in ranked if rung in answer.degraded]
    assert on_rung
    assert {rung for answer in ranked for rung in answer.degraded} <= _MORE_ALLOWED
    assert healthy.metrics()[counter] - before == len(on_rung)


def test_a_surge_is_answered_with_fewer_candidates_and_refusals(healthy: Stack) -> None:
    """Without any fault: some are ranked, the next ones among fewer; the others are refused."""

    async def surge(asker: Asker) -> list[Answer]:
        return await asker.ask_at_once(SURGE) + await asker.ask_at_once(1)

    before = healthy.metrics().get("gateway_refused_total|queue_full", 0.0)
    answers = _ask(healthy, surge)
    assert {answer.status for answer in answers} == {200, 429}
    assert OVERLOAD_RUNG in answers[-1].degraded
    refused = sum(answer.status == 429 for answer in answers)
    assert 0 < healthy.metrics()["gateway_refused_total|queue_full"] - before <= refused


@pytest.mark.parametrize("dependency", list(Dependency))
def test_a_killed_process_costs_a_rung_until_it_is_back(
    healthy: Stack, dependency: Dependency
) -> None:
    """SIGKILL under load: all are answered, on the rung below; afterwards all is as before."""
    healthy.kill(dependency)
    answers = _ask(healthy, LOADS["steady"])
    healthy.heal(dependency, killed=True)
    assert {answer.status for answer in answers} == {200}
    assert all(RUNGS[dependency] in answer.degraded for answer in answers)
    _until_healthy(healthy)
