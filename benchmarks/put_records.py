"""Putting the decision log on its stream: ours beside boto3, in one run on one stand-in.

    python -m benchmarks.put_records

Both put the same records in turns, so that whatever else the machine does falls on both. Counted is
the processor time of the calling thread: the gateway's log has a thread of its own, but one
interpreter with the requests.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import boto3
import numpy as np
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from benchmarks.feature_store.tables import table
from benchmarks.gateway.stack import PYTHON
from benchmarks.outcome import exit_code
from deploy.local.ports import HOST
from deploy.local.processes import Supervisor
from scoring.gateway.decision_log import KinesisStream, Record

REGION, STREAM = "us-east-1", "decisions"
RECORD_BYTES = 18_000
"""What a decision of 200 candidates takes."""
READY_S = 20.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its table; return the exit code."""
    options = _parse(arguments)
    console = Console()
    return exit_code(lambda: _measure(options, console), console, options.json)


def _measure(options: argparse.Namespace, console: Console) -> dict[str, dict[str, list[float]]]:
    """Put records both ways; return the milliseconds of each call by way."""
    url = f"http://{HOST}:{options.port}"
    records = [
        Record(f"e-{n}", os.urandom(RECORD_BYTES // 2).hex().encode())
        for n in range(options.records)
    ]
    with TemporaryDirectory() as logs, Supervisor(Path(logs)) as supervisor:
        sink = supervisor.start(
            "sink", [*PYTHON, "benchmarks.gateway.sink", "--port", str(options.port)]
        )
        ways = {"boto3": _by_boto3(url, records), "ours": _ours(url, records)}
        supervisor.wait_until("sink", lambda: _answers(ways["ours"]), READY_S, sink)
        took_ms: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(options.rounds):
            for way, put in ways.items():
                began_s = time.thread_time()
                put()
                took_ms[way].append((time.thread_time() - began_s) * 1e3)
    title = f"PutRecords of {options.records} decisions, ms of processor time a call"
    console.print(table(title, _lines(took_ms)))
    return {"ms of processor time": took_ms}


def _by_boto3(url: str, records: list[Record]) -> Callable[[], object]:
    client = boto3.client(
        "kinesis",
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106 - no secret
        config=Config(retries={"total_max_attempts": 1}),
    )
    return lambda: client.put_records(
        StreamName=STREAM,
        Records=[{"Data": record.data, "PartitionKey": record.event_id} for record in records],
    )


def _ours(url: str, records: list[Record]) -> Callable[[], object]:
    credentials = boto3.Session("local", "local").get_credentials()
    stream = KinesisStream(url, REGION, credentials, STREAM)
    return lambda: stream.put(records)


def _answers(put: Callable[[], object]) -> bool:
    try:
        put()
    except (BotoCoreError, ClientError):
        return False
    return True


def _lines(took_ms: dict[str, list[float]]) -> list[dict[str, object]]:
    """Return a line a way: processor time of a call, ms, and how many times that boto3 takes."""
    return [
        {
            "way": way,
            "mean": float(np.mean(times)),
            "p50": float(np.quantile(times, 0.5)),
            "p99": float(np.quantile(times, 0.99)),
            "boto3 over it": float(np.mean(took_ms["boto3"]) / np.mean(times)),
        }
        for way, times in took_ms.items()
    ]


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.put_records",
        description="Compare ways to put decisions on a Kinesis stream, by processor time.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--records", type=int, default=27, help="a call: 110 a second, 0.25 s")
    parser.add_argument("--rounds", type=int, default=200, help="calls of each way")
    parser.add_argument("--port", type=int, default=17890, help="of the stand-in for Kinesis")
    parser.add_argument("--json", type=Path, help="also write what was measured here")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
