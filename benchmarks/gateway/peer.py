"""The gateway beside its peer, on the same providers, requests and models, in one run."""

import time

from benchmarks.feature_store import servers, stores
from benchmarks.feature_store.filling import by_feast
from benchmarks.feature_store.made_rows import MadeRows
from benchmarks.gateway import tables
from benchmarks.gateway.runs import Benchmark, Measured, measure, together, with_stack
from benchmarks.gateway.stack import PYTHON, Stack
from benchmarks.gateway.tables import Found
from benchmarks.gateway.world import Rows
from benchmarks.streaming.cpu import Parts
from deploy.local.ports import HOST

TURNS = 4
LEAD_IN_S = 4.0
"""Of load that is not counted: a turn begins as a steady load would go on."""
PEER, PEER_REDIS = "peer", "Feast's Redis"
AHEAD_US = 3_600_000_000
"""Nobody renews the peer's rows: they are from an hour ahead, so that none grows stale."""
OURS = ("gateway", "endpoint", "Redis")
THEIRS = (PEER, PEER_REDIS, "Redis")


def run_peer(benchmark: Benchmark) -> Found:
    """Ask the gateway and the peer by turns; compare decisions by processor time."""

    def run(stack: Stack, idle: Parts) -> Found:
        benchmark.say("filling Feast's own store")
        url = _start(stack, benchmark)
        ours, theirs = _in_turns(benchmark, stack, idle, url)
        lines = [_line("gateway", ours, OURS), _line("peer", theirs, THEIRS)]
        ratio = lines[0]["decisions a core second"] / lines[1]["decisions a core second"]
        found: Found = {
            "gateway and peer": lines,
            "ratio": [{"decisions a core second, gateway over peer": ratio}],
            "gateway's processes": ours.processes(),
            "peer's processes": theirs.processes(),
        }
        for title, shown in found.items():
            benchmark.show(title, shown)
        return found

    return with_stack(benchmark, run)


def _in_turns(
    benchmark: Benchmark, stack: Stack, idle: Parts, url: str
) -> tuple[Measured, Measured]:
    """Ask the gateway and the peer by turns: what else the machine does falls on both."""
    options, seconds = benchmark.options, benchmark.options.seconds / TURNS
    ours: list[Measured] = []
    theirs: list[Measured] = []
    for turn in range(1, TURNS + 1):
        benchmark.say(f"turn {turn} of {TURNS}")
        stack.load(options.rate, LEAD_IN_S)
        ours.append(measure(stack, idle, options.rate, seconds))
        stack.load(options.peer_rate, LEAD_IN_S, url)
        theirs.append(measure(stack, idle, options.peer_rate, seconds, url))
    return together(ours), together(theirs)


def _start(stack: Stack, benchmark: Benchmark) -> str:
    port, run_dir = stack.settings.port + 4, stack.settings.run_dir
    server = servers.start(stack.supervisor, PEER_REDIS, port)
    stack.watch(PEER_REDIS, server.child)
    put = by_feast(stores.feasts_own(server, run_dir))
    now_us = time.time_ns() // 1000 + AHEAD_US
    for rows in (*stack.world.live_rows(now_us), *stack.world.other_rows(now_us)):
        for part in rows.parts():
            put(_made(part))
    benchmark.say("starting the peer")
    url = f"http://{HOST}:{port + 1}"
    stack.start_part(
        PEER,
        [*PYTHON, "benchmarks.gateway.peer_app", "--port", str(port + 1), "--geo-url",
         stack.redis_url, "--feast-port", str(port), "--registry", str(run_dir / "feast.db"),
         "--bundle", str(stack.bundle())],
        f"{url}/healthz",
    )  # fmt: skip
    return url


def _made(rows: Rows) -> MadeRows:
    return MadeRows(rows.schema, list(rows.entities), rows.columns, rows.event_us)


def _line(name: str, measured: Measured, parts: tuple[str, ...]) -> Found:
    cpu = {line["process"]: line["CPU ms a decision"] for line in measured.processes()}
    ms = sum(cpu[part] for part in parts)
    return {
        "who": name,
        "CPU ms a decision": ms,
        "decisions a core second": 1e3 / ms,
        **tables.summary(measured.rate, measured.seen),
    }
