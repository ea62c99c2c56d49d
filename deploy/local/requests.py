"""Live requests for help, read from Kinesis and put to the gateway, as a dispatch system would."""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx2

from deploy.local.ports import HOST

STREAM = "dispatch-events"
ANSWER_S = 5.0
STILL_WAITING_MS = 60_000


def live_requests(client: Any) -> Iterator[dict[str, Any] | None]:
    """Yield requests for help as they come, None when there is none now; never ends.

    It begins with those of the last minute: their drivers wait still.
    """
    shard = client.list_shards(StreamName=STREAM)["Shards"][0]["ShardId"]
    iterator = client.get_shard_iterator(
        StreamName=STREAM, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    while True:
        answer = client.get_records(ShardIterator=iterator, Limit=1000)
        iterator = answer["NextShardIterator"]
        events = [json.loads(record["Data"]) for record in answer["Records"]]
        oldest_ms = time.time() * 1000 - STILL_WAITING_MS
        requests = [e for e in events if e["kind"] == "request" and e["ts"] >= oldest_ms]
        yield from (to_request(event) for event in requests)
        if not requests:
            yield None


def to_request(event: dict[str, Any], top_k: int = 3) -> dict[str, Any]:
    """Return the gateway's request for a ``request`` event."""
    return {
        "event_id": event["event_id"],
        "location": {"lat": event["lat"], "lon": event["lon"]},
        "service": event["service"],
        "vehicle_class": event["vehicle_class"],
        "promised_minutes": event["promised_minutes"],
        "top_k": top_k,
    }


class Gateway:
    """The gateway's client."""

    def __init__(self, port: int) -> None:
        self.url = f"http://{HOST}:{port}"
        self._client = httpx2.Client(base_url=self.url, timeout=ANSWER_S)

    def ready(self) -> bool:
        """Return whether every needed dependency of the gateway answers."""
        try:
            return self._client.get("/readyz").status_code == httpx2.codes.OK
        except httpx2.HTTPError:
            return False

    def checks(self) -> dict[str, str]:
        """Return what the gateway's dependencies said."""
        checks: dict[str, str] = self._client.get("/readyz").json()["checks"]
        return checks

    def recommend(self, request: dict[str, Any]) -> dict[str, Any]:
        """Ask for a recommendation; the answer, or the refusal with its ``error``."""
        answer: dict[str, Any] = self._client.post("/v1/recommendations", json=request).json()
        return answer

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()
