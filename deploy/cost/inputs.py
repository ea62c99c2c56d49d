"""What the arithmetic starts from, beside prices and sizes: each with its unit and its origin."""

from dataclasses import dataclass, field, fields
from typing import Any

from deploy.streams import STREAMS


def _given(value: float, unit: str, origin: str) -> Any:
    return field(default=value, metadata={"unit": unit, "origin": origin})


_DECISION_BYTES = next(stream.record_bytes for stream in STREAMS if stream.name == "decisions")
_ESTIMATE = "estimate"


@dataclass(frozen=True)
class Inputs:
    """Inputs; processor times are in ``deploy.sizing``, streams in ``deploy.streams``."""

    decisions_a_month: float = _given(9e6, "decisions", "the design: 9 million events a month")
    events_share_of_peak: float = _given(
        0.65, "of the streams' peak, on average", "the benchmark's share of providers on shift"
    )
    decision_bytes: float = _given(_DECISION_BYTES, "bytes a record", "`deploy/streams.py`")
    request_bytes: float = _given(
        105, "bytes, without headers", "measured: a tow within the gateway's tests"
    )
    answer_bytes: float = _given(
        3133, "bytes, without headers", "measured: five shown of 237 considered"
    )
    header_bytes: float = _given(700, "bytes each way", _ESTIMATE)
    endpoint_bytes: float = _given(
        53_000, "bytes a decision to and from the endpoint", "docs/decisions/0024"
    )
    store_bytes: float = _given(
        102_000, "bytes a decision", "docs/feature-store.md, for 237; nothing at hand"
    )
    row_bytes: float = _given(
        21, "bytes of Parquet a stream row", "measured: motion 22, availability 13"
    )
    rows_per_s: float = _given(6600, "stream rows/s at the peak", "docs/gateway.md")
    files_per_min: float = _given(
        32, "Parquet files", "four views, eight writers, a checkpoint each"
    )
    kept_months: float = _given(12, "months of rows and decisions", "a year after the start")
    often_read_months: float = _given(3, "of those in Standard", "the buckets' life cycle")
    zip_ratio: float = _given(4, "bytes in for a byte out, decisions in gzip", _ESTIMATE)
    scanned_tb: float = _given(2, "TB by Athena a month", _ESTIMATE)
    keys: float = _given(4, "KMS keys", "the stacks")
    interface_endpoints: float = _given(9, "interface endpoints", "the stacks")
    secrets: float = _given(2, "secrets", "the stacks")
    alarms: float = _given(38, "alarms", "the stacks")
    metrics: float = _given(300, "custom metrics", _ESTIMATE)
    logs_gb: float = _given(60, "GB of logs and flow logs a month", _ESTIMATE)
    kpu_storage_gb: float = _given(50, "GB a KPU", "the service's fixed share")
    training_hours: float = _given(40, "hours of training jobs a month, weekly", _ESTIMATE)
    monitoring_hours: float = _given(30, "hours of monitoring jobs a month, daily", _ESTIMATE)
    gateway_task_gb: float = _given(4, "GB of memory a gateway task", "`deploy/sizing.py`")


def table(inputs: Inputs) -> list[tuple[str, float, str, str]]:
    """Return name, value, unit and origin of each input."""
    return [
        (f.name, getattr(inputs, f.name), f.metadata["unit"], f.metadata["origin"])
        for f in fields(inputs)
    ]
