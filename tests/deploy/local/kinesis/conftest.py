"""The mended emulator, once a module."""

from collections.abc import Iterator

import pytest

from tests.flink_jobs.emulator import Emulator


@pytest.fixture(scope="package")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """A Kinesis emulator, started by its own command."""
    running = Emulator(tmp_path_factory.mktemp("kinesis"))
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture
def stream(emulator: Emulator, request: pytest.FixtureRequest) -> str:
    """A stream of one shard, named like the test."""
    name: str = request.node.name[:120]
    emulator.create(name)
    return name
