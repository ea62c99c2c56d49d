"""The application with another writer: what ``flink run`` is given to measure a peer."""

import argparse
import sys
from functools import partial

from benchmarks.streaming import writers
from benchmarks.streaming.ways import WAYS
from flink_jobs import main, pipeline


def start() -> int:
    """Submit the application; return the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--writer", choices=list(WAYS))
    parser.add_argument("--registry", default="")
    options, rest = parser.parse_known_args()
    # The application's own way to its jobs, with the one function bound that is measured.
    writer = writers.factory(options.writer, options.registry)
    pipeline.add_live = partial(pipeline.add_live, writer=writer)
    return main.main(rest)


if __name__ == "__main__":
    sys.exit(start())
