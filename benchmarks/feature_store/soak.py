"""Many reads, one after another: whether memory and latency stay flat."""

import gc
import time
from collections.abc import Callable

import numpy as np
import psutil
from redis import Redis

from benchmarks.feature_store import filling, reading, servers, stores, tables
from benchmarks.feature_store.benchmark import Benchmark
from benchmarks.feature_store.made_rows import ROWS_A_PROVIDER, World, provider_ids
from benchmarks.feature_store.reading import Read
from benchmarks.feature_store.seen import Soak
from benchmarks.feature_store.servers import Server
from benchmarks.feature_store.stores import PROJECT
from benchmarks.feature_store.tables import Found
from deploy.local.processes import Supervisor
from feature_repo.online.reader import FeatureReader
from feature_repo.online.row_writer import RowWriter

SAMPLES = 200
_MB = 1e6
REGISTRY_S = 1
"""How often the soaked SDK reads its registry again."""


def soak(
    read: Read,
    world: World,
    entities: int,
    reads: int,
    done: Callable[[int], None],
) -> Soak:
    """Read some entities so often, looking at memory and time at equal steps."""
    process = psutil.Process()
    step = max(1, reads // SAMPLES)
    seen: list[tuple[float, float, float, float]] = []
    for start in range(0, reads, step):
        some = [world.some(entities) for _ in range(min(step, reads - start))]
        walls, cpu = [], time.process_time()
        for asked in some:
            began = time.perf_counter()
            read(asked)
            walls.append(time.perf_counter() - began)
        cpu_us = (time.process_time() - cpu) / len(some) * 1e6
        gc.collect()
        resident_mb = process.memory_info().rss / _MB
        seen.append((start + len(some), resident_mb, float(np.median(walls)) * 1e6, cpu_us))
        done(len(some))
    return Soak(*(np.array(column) for column in zip(*seen, strict=True)))


def run_soak(benchmark: Benchmark) -> Found:
    """Read again and again, with the reader or with the SDK on rows."""
    options = benchmark.options
    world = World(provider_ids(options.providers), np.random.default_rng(options.seed))
    with Supervisor(options.run_dir) as supervisor:
        server = servers.start(supervisor, "rows", options.port, benchmark.redis_options)
        client = Redis.from_url(server.url)
        writer = filling.by_writer(RowWriter(client, PROJECT))
        with benchmark.step("fill", options.providers * ROWS_A_PROVIDER) as done:
            filling.fill("rows", server, writer, world, done)
        read = _read(benchmark, server, client)
        with benchmark.step(f"{options.reads:,} reads", options.reads) as done:
            seen = soak(read, world, options.entities, options.reads, done)
    lines = tables.of_soak(options.of, seen)
    registry = f"; registry read again every {REGISTRY_S} s" if options.of == "sdk" else ""
    benchmark.show("Soak: all views", lines, f"{options.entities} entities a read{registry}")
    return {"soak": lines}


def _read(benchmark: Benchmark, server: Server, client: Redis) -> Read:
    if benchmark.options.of == "reader":
        return reading.by_reader(FeatureReader(client, PROJECT))
    return reading.by_sdk(stores.on_rows(server, benchmark.options.run_dir, REGISTRY_S))
