"""What the service notes of each variant: metrics for CloudWatch, questions and answers for S3."""

import asyncio
import base64
import json
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from deploy.local.endpoint.resources import Message
from deploy.promotion.storage import Storage

NAMESPACE = "AWS/SageMaker"
FLUSH_S = 1.0
"""A minute on AWS."""
VALUES_AT_ONCE = 150
"""As many as CloudWatch takes in one datum."""
_MEDIA_TYPE = "application/x-msgpack"


@dataclass
class _Noted:
    latencies_us: list[float] = field(default_factory=list)
    errors: int = 0


class Watch:
    """Notes what the variants of an endpoint do, and passes it on once a second.

    Args:
        endpoint: Its name.
        cloudwatch: boto3's client.
        storage: Where captures go.
    """

    def __init__(self, endpoint: str, cloudwatch: Any, storage: Storage) -> None:
        self._endpoint = endpoint
        self._cloudwatch = cloudwatch
        self._storage = storage
        self._noted: dict[str, _Noted] = defaultdict(_Noted)
        self._captured: dict[tuple[str, str], list[str]] = defaultdict(list)

    def note(self, variant: str, latency_s: float, *, failed: bool) -> None:
        """Note one request."""
        noted = self._noted[variant]
        noted.latencies_us.append(latency_s * 1e6)
        noted.errors += failed

    def capture(self, config: Message, variant: str, question: bytes, answer: bytes) -> None:
        """Keep a question and its answer, as data capture writes them."""
        parts = {"endpointInput": question, "endpointOutput": answer}
        line = {
            "captureData": {
                name: {
                    "observedContentType": _MEDIA_TYPE,
                    "mode": "INPUT" if name == "endpointInput" else "OUTPUT",
                    "data": base64.b64encode(body).decode(),
                    "encoding": "BASE64",
                }
                for name, body in parts.items()
            },
            "eventMetadata": {
                "eventId": str(uuid.uuid4()),
                "inferenceTime": datetime.now(UTC).isoformat(),
            },
            "eventVersion": "0",
        }
        place = config["DataCaptureConfig"]["DestinationS3Uri"]
        self._captured[place, variant].append(json.dumps(line))

    async def run(self) -> None:
        """Pass on what was noted, for ever."""
        while True:
            await asyncio.sleep(FLUSH_S)
            await self.flush()

    async def flush(self) -> None:
        """Pass on what was noted."""
        noted, self._noted = self._noted, defaultdict(_Noted)
        captured, self._captured = self._captured, defaultdict(list)
        data = [datum for variant, of_one in noted.items() for datum in self._data(variant, of_one)]
        if data:
            await asyncio.to_thread(
                self._cloudwatch.put_metric_data, Namespace=NAMESPACE, MetricData=data
            )
        for (place, variant), lines in captured.items():
            await asyncio.to_thread(self._write, place, variant, "\n".join(lines))

    def _data(self, variant: str, noted: _Noted) -> list[dict[str, Any]]:
        dimensions = [
            {"Name": "EndpointName", "Value": self._endpoint},
            {"Name": "VariantName", "Value": variant},
        ]
        values = {
            "Invocations": [1.0] * len(noted.latencies_us),
            "Invocation5XXErrors": [1.0] * noted.errors or [0.0],
            "ModelLatency": noted.latencies_us,
        }
        return [
            {"MetricName": name, "Dimensions": dimensions, "Values": part}
            for name, every in values.items()
            for start in range(0, len(every), VALUES_AT_ONCE)
            if (part := every[start : start + VALUES_AT_ONCE])
        ]

    def _write(self, place: str, variant: str, text: str) -> None:
        now = datetime.now(UTC)
        name = f"{variant}/{now:%Y/%m/%d/%H/%M-%S}-{uuid.uuid4()}.jsonl"
        self._storage.write(f"{place.rstrip('/')}/{self._endpoint}/{name}", text.encode())
