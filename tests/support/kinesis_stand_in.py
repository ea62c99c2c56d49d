"""A Kinesis over HTTP that keeps what is put on it, or refuses it."""

import base64
import json
import threading
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
    """

    records: list[dict[str, Any]] = field(default_factory=list)
    refusing: bool = False
    url: str = ""

    @property
    def event_ids(self) -> list[str]:
        """The events of the decisions that were put."""
        return [record["request"]["event_id"] for record in self.records]

    def answer(self, body: bytes) -> tuple[int, dict[str, Any]]:
        """Take what a PutRecords call brings."""
        if self.refusing:
            return 500, {"__type": "InternalFailure"}
        put = json.loads(body)["Records"]
        self.records += [json.loads(base64.b64decode(record["Data"])) for record in put]
        return 200, {"FailedRecordCount": 0, "Records": [{"SequenceNumber": "1"} for _ in put]}


@contextmanager
def kinesis_stand_in() -> Iterator[KinesisStandIn]:
    """Serve on a free port of 127.0.0.1 for the time of a ``with`` block."""
    stand_in = KinesisStandIn()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            status, document = stand_in.answer(self.rfile.read(length))
            body = json.dumps(document).encode()
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
