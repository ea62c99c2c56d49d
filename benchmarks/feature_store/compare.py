"""Everything beside Feast in one run: memory, reads and writes, in turns."""

import os
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from redis import Redis

from benchmarks.feature_store import filling, reading, servers, stores, tables, writing
from benchmarks.feature_store.benchmark import Benchmark
from benchmarks.feature_store.made_rows import ROWS_A_PROVIDER, World, provider_ids
from benchmarks.feature_store.servers import Server
from benchmarks.feature_store.stores import PROJECT
from benchmarks.feature_store.tables import Found
from benchmarks.feature_store.timing import loaded_kept
from deploy.local.processes import Supervisor
from feature_repo.online.reader import FeatureReader
from feature_repo.online.row_writer import RowWriter

SDK_THEIRS, SDK_OURS = "SDK, Feast's own layout", "SDK, rows"
READS_A_TURN = 10
"""Of the reader, whose single read is too short to tell a quantile from one a turn."""
_AHEAD_US = 60_000_000


@dataclass(frozen=True)
class Arena:
    """Two servers, and Feast on each."""

    world: World
    theirs: Server
    ours: Server
    feast: Any
    on_rows: Any
    client: Redis

    @classmethod
    def start(cls, benchmark: Benchmark, supervisor: Supervisor) -> "Arena":
        """Start both servers and register the views."""
        options, settings = benchmark.options, benchmark.redis_options
        theirs = servers.start(supervisor, "feast", options.port, settings)
        ours = servers.start(supervisor, "rows", options.port + 1, settings)
        return cls(
            world=World(provider_ids(options.providers), np.random.default_rng(options.seed)),
            theirs=theirs,
            ours=ours,
            feast=stores.feasts_own(theirs, options.run_dir),
            on_rows=stores.on_rows(ours, options.run_dir),
            client=Redis.from_url(ours.url),
        )

    def readers(self) -> list[reading.Contestant]:
        """Return who reads."""
        reader = reading.by_reader(FeatureReader(self.client, PROJECT))
        return [
            reading.Contestant(SDK_THEIRS, self.theirs, reading.by_sdk(self.feast)),
            reading.Contestant(SDK_OURS, self.ours, reading.by_sdk(self.on_rows)),
            reading.Contestant("reader", self.ours, reader, READS_A_TURN),
        ]

    def writers(self) -> list[writing.Contestant]:
        """Return who writes."""
        writer = writing.by_writer(RowWriter(self.client, PROJECT))
        return [
            writing.Contestant(SDK_THEIRS, self.theirs, writing.by_sdk(self.feast)),
            writing.Contestant(SDK_OURS, self.ours, writing.by_sdk(self.on_rows)),
            writing.Contestant("row writer", self.ours, writer),
        ]


def run_compare(benchmark: Benchmark) -> Found:
    """Fill both layouts, then read and write in turns."""
    load_before = os.getloadavg()[0]
    with Supervisor(benchmark.options.run_dir) as supervisor:
        arena = Arena.start(benchmark, supervisor)
        memory = _memory(benchmark, arena)
        with loaded_kept():
            found = {
                "memory": memory,
                "reads": _reads(benchmark, arena),
                "writes": _writes(benchmark, arena),
            }
    load = f"load average {load_before:.1f} before, {os.getloadavg()[0]:.1f} after"
    _show(benchmark, found, f"{load}, {os.cpu_count()} cores")
    return {**found, "load": load}


def _memory(benchmark: Benchmark, arena: Arena) -> list[Found]:
    rows = len(arena.world.providers) * ROWS_A_PROVIDER
    by_feast = filling.by_feast(arena.feast)
    by_writer = filling.by_writer(RowWriter(arena.client, PROJECT))
    with benchmark.step("fill both layouts", 2 * rows) as done:
        layouts = [
            filling.fill("Feast's own", arena.theirs, by_feast, arena.world, done),
            filling.fill("rows", arena.ours, by_writer, arena.world, done),
        ]
    return tables.of_memory(layouts)


def _reads(benchmark: Benchmark, arena: Arena) -> list[Found]:
    found, turns, readers = [], benchmark.options.turns, arena.readers()
    for entities in benchmark.options.entities:
        with benchmark.step(f"read {entities} entities", turns) as done:
            reading.compare(readers, arena.world, entities, turns, done)
        found += tables.of_reads(entities, readers)
    return found


def _writes(benchmark: Benchmark, arena: Arena) -> list[Found]:
    found, options, writers = [], benchmark.options, arena.writers()
    start_us = time.time_ns() // 1000 + _AHEAD_US
    for view in writing.WRITTEN:
        batches = writing.Batches(view, options.batch, start_us)
        with benchmark.step(f"write {view.name}", options.turns) as done:
            writing.compare(writers, arena.world, batches, options.turns, done)
        found += tables.of_writes(view.name, options.batch, writers)
    return found


def _show(benchmark: Benchmark, found: dict[str, list[Found]], load: str) -> None:
    options = benchmark.options
    benchmark.show("Reads: all 6 views", found["reads"], f"{options.turns} turns; {load}")
    benchmark.show("Writes", found["writes"], f"batches of {options.batch} rows, newer ones")
    benchmark.show("Memory", found["memory"], f"{options.providers:,} providers, 4 rows each")
