"""A Kinesis stream that takes, refuses or is away, as it is told."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from botocore.exceptions import EndpointConnectionError

from scoring.gateway.decision_log.kinesis import Result
from scoring.gateway.decision_log.record import Record


@dataclass
class Stream:
    """Stands in for a stream of Kinesis.

    Attributes:
        records: What it took, in order.
        calls: How many records each call had.
        away: It cannot be reached.
        refuses: Event ids that it throttles.
    """

    records: list[Record] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)
    away: bool = False
    refuses: set[str] = field(default_factory=set)
    name: str = "decisions"

    def put(self, records: Sequence[Record]) -> list[Result]:
        """Take what is not refused."""
        self.calls.append(len(records))
        if self.away:
            raise EndpointConnectionError(endpoint_url=self.name)
        refused = [record.event_id in self.refuses for record in records]
        self.records += [r for r, no in zip(records, refused, strict=True) if not no]
        throttled = Result("ProvisionedThroughputExceededException")
        return [throttled if no else Result() for no in refused]

    @property
    def event_ids(self) -> list[str]:
        """The events that it took, in order."""
        return [record.event_id for record in self.records]


def record(number: int, padding_bytes: int = 0) -> Record:
    """Return the record of event ``e<number>``."""
    document = {"request": {"event_id": f"e{number}"}, "padding": "x" * padding_bytes}
    return Record(f"e{number}", json.dumps(document).encode())
