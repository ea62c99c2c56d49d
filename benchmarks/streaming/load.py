"""The load generator, a process of its own: ``python -m benchmarks.streaming.load --help``.

An open loop: each event has its time from the rate alone, and is put then whether or not what came
before has been answered; if this process falls behind, its events are late and it says by how much.
It speaks Kinesis's PutRecords without an SDK, whose building of requests would cost more processor
time than all the rest.
"""

import argparse
import base64
import http.client
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import msgspec

from benchmarks.streaming.events import Record, StreamLoad, gps_load, mixed

RECORDS_PER_PUT = 500
CONNECTIONS = 4
WAITING_PUTS = 16
"""More than these are not begun: then the generator, or what it talks to, is too slow."""
TICK_S = 0.05
HEADERS = {
    "Content-Type": "application/x-amz-json-1.1",
    "X-Amz-Target": "Kinesis_20131202.PutRecords",
    # The emulator reads account and region from it, and checks no signature.
    "Authorization": "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/kinesis/aws4_request",
}


class LoadError(RuntimeError):
    """The stream did not take the records."""


class Sent(msgspec.Struct, frozen=True):
    """What a load was, in the end.

    Attributes:
        events: How many were put.
        late_s: How far the generator was behind its own schedule at worst.
    """

    events: int
    late_s: float


class Putter:
    """Puts records through several connections."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._pool = ThreadPoolExecutor(CONNECTIONS)
        self._waiting = threading.Semaphore(WAITING_PUTS)
        self._local = threading.local()
        self._failure: Exception | None = None

    def put(self, stream: str, records: Iterable[Record]) -> None:
        """Begin to put records, once not too many others wait."""
        iterator = iter(records)
        while batch := list(islice(iterator, RECORDS_PER_PUT)):
            self._waiting.acquire()
            if self._failure:
                raise self._failure
            self._pool.submit(self._send, _body(stream, batch))

    def close(self) -> None:
        """Wait for the last answer."""
        self._pool.shutdown()
        if self._failure:
            raise self._failure

    def _send(self, body: bytes) -> None:
        try:
            connection = self._connection()
            connection.request("POST", "/", body, HEADERS)
            answer = connection.getresponse().read()
        except (OSError, http.client.HTTPException) as error:
            self._failure = error
        else:
            if b'"FailedRecordCount":0' not in answer:
                self._failure = LoadError(f"PutRecords: {answer[:300]!r}")
        finally:
            self._waiting.release()

    def _connection(self) -> http.client.HTTPConnection:
        if not hasattr(self._local, "connection"):
            self._local.connection = http.client.HTTPConnection("127.0.0.1", self._port)
        connection: http.client.HTTPConnection = self._local.connection
        return connection


def _body(stream: str, records: Sequence[Record]) -> bytes:
    encode = base64.b64encode
    parts = ",".join(
        f'{{"Data":"{encode(text.encode()).decode()}","PartitionKey":"{key}"}}'
        for key, text in records
    )
    return f'{{"StreamName":"{stream}","Records":[{parts}]}}'.encode()


def play(putter: Putter, loads: Sequence[StreamLoad], ended: threading.Event) -> Sent:
    """Put events at their rates, in real time, until ``ended`` is set."""
    start_s = time.time()
    done = dict.fromkeys((load.stream for load in loads), 0)
    late_s, tick = 0.0, 0
    while not ended.wait(max(start_s + tick * TICK_S - time.time(), 0)):
        tick += 1
        for load in loads:
            upto = int(tick * TICK_S * load.rate)
            putter.put(load.stream, _events(load, done[load.stream], upto, start_s * 1000))
            done[load.stream] = upto
        late_s = max(late_s, time.time() - start_s - tick * TICK_S)
    return Sent(sum(done.values()), late_s)


def fill(putter: Putter, load: StreamLoad, count: int) -> Sent:
    """Put events as fast as it goes, with the times that they have at the load's rate until now."""
    first_ms = (time.time() - count / load.rate) * 1000
    putter.put(load.stream, _events(load, 0, count, first_ms))
    return Sent(count, 0.0)


def _events(load: StreamLoad, begin: int, end: int, first_ms: float) -> Iterator[Record]:
    for n in range(begin, end):
        yield load.record(n, round(first_ms + n / load.rate * 1000))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the generator; write what it did; return the exit code."""
    options = _parser().parse_args(arguments)
    loads = (gps_load(options.rate, options.bad_share),) if options.gps else mixed(options.rate)
    putter = Putter(options.port)
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    sent = fill(putter, loads[0], options.fill) if options.fill else play(putter, loads, ended)
    putter.close()
    options.report.write_bytes(msgspec.json.encode(sent))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.streaming.load",
        description="Put events on the emulator's streams: at a rate until SIGTERM, or a backlog.",
    )
    parser.add_argument("--port", type=int, required=True, help="the emulator's, on 127.0.0.1")
    parser.add_argument("--rate", type=float, required=True, help="events a second, in all")
    parser.add_argument("--gps", action="store_true", help="only provider-gps")
    parser.add_argument("--bad-share", type=float, default=0, help="of provider-gps, 0 to 1")
    parser.add_argument("--fill", type=int, default=0, help="put so many fixes at once instead")
    parser.add_argument("--report", type=Path, required=True, help="file for what was put")
    return parser


if __name__ == "__main__":
    sys.exit(main())
