"""A Kinesis stream that takes, refuses or is away, as it is told."""

import json
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import EndpointConnectionError

from scoring.gateway.decision_log.record import Record


@dataclass
class Stream:
    """Stands in for a boto3 client.

    Attributes:
        records: What it took, in order.
        calls: How many records each call had.
        away: It cannot be reached.
        refuses: Event ids that it throttles.
    """

    records: list[dict[str, Any]] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)
    away: bool = False
    refuses: set[str] = field(default_factory=set)

    def put_records(self, StreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        """Take what is not refused."""
        self.calls.append(len(Records))
        if self.away:
            raise EndpointConnectionError(endpoint_url=StreamName)
        refused = [record["PartitionKey"] in self.refuses for record in Records]
        self.records += [r for r, no in zip(Records, refused, strict=True) if not no]
        throttled = {"ErrorCode": "ProvisionedThroughputExceededException"}
        return {"Records": [throttled if no else {} for no in refused]}

    @property
    def event_ids(self) -> list[str]:
        """The events that it took, in order."""
        return [record["PartitionKey"] for record in self.records]


def record(number: int, padding_bytes: int = 0) -> Record:
    """Return the record of event ``e<number>``."""
    document = {"request": {"event_id": f"e{number}"}, "padding": "x" * padding_bytes}
    return Record(f"e{number}", json.dumps(document).encode())
