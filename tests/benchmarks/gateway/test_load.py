import asyncio
import time

import numpy as np
import pytest

from benchmarks.gateway import tables
from benchmarks.gateway.load import FAILED, OK, Load, Looked, Seen, arrivals, merged

BODIES = [b'{"event_id": "e-%d"}']
STALL_S = 0.4


async def _serve(stalls: bool, statuses: list[bytes]) -> tuple[asyncio.Server, str]:
    """Start a server that may stand still for a while once, and says the statuses in turn."""
    asked = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        while True:
            try:
                await reader.readuntil(b"}")
            except asyncio.IncompleteReadError:
                break
            asked += 1
            if stalls and asked == 5:
                time.sleep(STALL_S)  # as a process that is stalled does
            status = statuses[asked % len(statuses)]
            writer.write(b"HTTP/1.1 %b\r\nContent-Length: 2\r\n\r\n{}" % status)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def _run(url: str, at_s: list[float]) -> Seen:
    return await Load(url, "/", BODIES, 1).run(np.array(at_s))


def test_arrivals_are_those_of_a_poisson_process() -> None:
    """As many as the rate says, spread as widely as chance does, the same for the same seed."""
    times = arrivals(100, 100, seed=1)
    assert len(times) == pytest.approx(10_000, abs=400)
    gaps = np.diff(times)
    assert gaps.mean() == pytest.approx(0.01, rel=0.05)
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.1)
    assert (times == arrivals(100, 100, seed=1)).all()


@pytest.mark.integration
async def test_waiting_counts_from_the_scheduled_time() -> None:
    """While the server stands still requests go on to come due, and all of their waiting counts."""
    server, url = await _serve(stalls=True, statuses=[b"404 Not Found"])
    at_s = [number * 0.01 for number in range(60)]
    seen = await _run(url, at_s)
    server.close()
    await asyncio.sleep(0.02)
    assert tables.answered(seen) == 60
    late = sum(ms > 1000 * STALL_S / 4 for ms in seen.latency_ms)
    assert late >= 20  # a closed loop would have seen one


@pytest.mark.integration
async def test_every_ending_is_told_apart() -> None:
    """Refusals, errors and no answer at all are counted each by itself."""
    statuses = [b"429 Too Many Requests", b"500 Internal Server Error", b"404 Not Found"]
    server, url = await _serve(stalls=False, statuses=statuses)
    seen = await _run(url, [0.0] * 30)
    server.close()
    await asyncio.sleep(0.02)
    assert (tables.answered(seen), tables.errors(seen)) == (10, 10)
    assert tables.summary(1.0, seen)["refused"] == 10
    nobody = await _run("http://127.0.0.1:1", [0.0, 0.01])
    assert nobody.statuses == [FAILED, FAILED]
    assert tables.errors(nobody) == 2
    assert np.isnan(tables.quantile(nobody, 0.5, [OK]))


def test_loads_in_turns_are_one_load() -> None:
    """Every request of each turn is there once, and times and processor time add up."""
    first = Seen([OK, 429], [5.0, 1.0], [0.1, 0.2], [0.0, 0.1], 0.5, 2.0, [])
    second = Seen([OK], [7.0], [0.3], [0.2], 0.25, 1.0, [Looked(200, 120, {"read": 1.0}, [])])
    both = merged([first, second])
    assert both.statuses == [OK, 429, OK]
    assert (both.latency_ms, both.late_ms) == ([5.0, 1.0, 7.0], [0.0, 0.1, 0.2])
    assert (both.cpu_s, both.took_s) == (0.75, 3.0)
    assert [look.considered for look in both.looked] == [200]
