"""A Kinesis over HTTP that keeps what is put on it, or refuses it."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class KinesisStandIn:
    """What was put.

    Attributes:
        records: The data of each record, decoded, in order.
        refusing: Whether calls are answered with an error of the service.
        says: Status and body of every answer, instead of one that fits the call.
        answer_after_s: How long each answer takes.
    """

    records: list[dict[str, Any]] = field(default_factory=list)
    refusing: bool = False
    says: tuple[int, bytes] | None = None
    answer_after_s: float = 0.0
    url: str = ""

    @property
    def event_ids(self) -> list[str]:
        """The events of the decisions that were put."""
        return [record["request"]["event_id"] for record in self.records]

    def answer(self, body: bytes) -> tuple[int, bytes]:
        """Take what a PutRecords call brings."""
        time.sleep(self.answer_after_s)
        if self.says is not None:
            return self.says
        if self.refusing:
            return 500, b'{"__type": "InternalFailure"}'
        put = json.loads(body)["Records"]
        self.records += [json.loads(base64.b64decode(record["Data"])) for record in put]
        results = [{"SequenceNumber": "1"} for _ in put]
        return 200, json.dumps({"FailedRecordCount": 0, "Records": results}).encode()


@contextmanager
def kinesis_stand_in() -> Iterator[KinesisStandIn]:
    """Serve on a free port of 127.0.0.1 for the time of a ``with`` block."""
    stand_in = KinesisStandIn()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            status, body = stand_in.answer(self.rfile.read(length))
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        stand_in.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield stand_in
        server.shutdown()
        thread.join()
