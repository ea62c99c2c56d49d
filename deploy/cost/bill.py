"""A month's bill: how many of everything, at which price."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from deploy import sizing
from deploy.cost.designs import Design
from deploy.cost.inputs import Inputs
from deploy.cost.prices import Price, PriceError
from deploy.streams import DEAD_LETTER, STREAMS, Stream

HOURS = 730.0
"""In a month."""
SECONDS = HOURS * 3600
PUT_UNIT_BYTES = 25 * 1024
FIREHOSE_STEP_BYTES = 5 * 1024
ORCHESTRATION_KPUS = 1
KMS_REQUESTS_A_SHARD_HOUR = 36
"""A data key lasts five minutes; writer, reader and Firehose each ask."""


@dataclass(frozen=True)
class Load:
    """What a month asks for.

    Attributes:
        peak_per_s: Decisions/s that must be carried at any moment; sizes follow it.
        decisions: Decisions in the month; volumes follow it.
    """

    peak_per_s: float
    decisions: float


@dataclass(frozen=True)
class Line:
    """A line of the bill.

    Attributes:
        area: Which part of the product it belongs to.
        what: What is paid for.
        quantity: How many units of the price.
        price: For one of them.
    """

    area: str
    what: str
    quantity: float
    price: Price

    @property
    def dollars(self) -> float:
        """What the line costs a month."""
        return self.quantity * self.price.dollars


def bill(design: Design, load: Load, prices: Mapping[str, Price], inputs: Inputs) -> list[Line]:
    """Return every line of a month.

    Raises:
        PriceError: The table of prices lacks one.
    """
    quantities = {
        "Streams": _streams(load, inputs),
        "Flink": _flink(inputs),
        "Online store": _store(design, load, inputs),
        "Endpoint": _endpoint(design, load, inputs),
        "Gateway": _gateway(design, load, inputs),
        "Offline store": _offline(load, inputs),
        "Network": _network(design, load, inputs),
        "Operations": _operations(inputs),
        "Retraining": _retraining(inputs),
    }
    return [
        Line(area, what, quantity, _price(prices, name))
        for area, lines in quantities.items()
        for what, quantity, name in lines
        if quantity
    ]


Quantities = list[tuple[str, float, str]]
"""What, how many, and the price's name."""


def _streams(load: Load, inputs: Inputs) -> Quantities:
    shards = sum(stream.shards for stream in STREAMS)
    kept_longer = sum(s.shards for s in STREAMS if s.retention_hours > 24)
    units = sum(_records(s, load, inputs) * _put_units(s, inputs) for s in STREAMS)
    requests = shards * HOURS * KMS_REQUESTS_A_SHARD_HOUR
    return [
        (f"{shards} shards", shards * HOURS, "kinesis-shard-hour"),
        ("PUT units", units / 1e6, "kinesis-put-million"),
        (f"{kept_longer} shard kept a week", kept_longer * HOURS, "kinesis-extended-shard-hour"),
        ("requests to KMS", requests / 1e4, "kms-request-10k"),
    ]


def _records(stream: Stream, load: Load, inputs: Inputs) -> float:
    """Return a stream's records in the month; dead letters are an incident and not counted."""
    if stream.is_input:
        return stream.peak_records_per_s * inputs.events_share_of_peak * SECONDS
    return 0 if stream.name == DEAD_LETTER else load.decisions


def _put_units(stream: Stream, inputs: Inputs) -> int:
    size = stream.record_bytes if stream.is_input else inputs.decision_bytes
    return ceil(size / PUT_UNIT_BYTES)


def _event_bytes(inputs: Inputs) -> float:
    """Return the bytes of all input events of a month."""
    per_s = sum(s.peak_records_per_s * s.record_bytes for s in STREAMS if s.is_input)
    return per_s * inputs.events_share_of_peak * SECONDS


def _flink(inputs: Inputs) -> Quantities:
    kpus = max(stream.shards for stream in STREAMS if stream.is_input)
    paid = kpus + ORCHESTRATION_KPUS
    return [
        (f"{kpus} KPUs and {ORCHESTRATION_KPUS} to orchestrate", paid * HOURS, "flink-kpu-hour"),
        ("running storage", kpus * inputs.kpu_storage_gb, "flink-storage-gb-month"),
    ]


def _store(design: Design, load: Load, inputs: Inputs) -> Quantities:
    nodes = design.store_nodes(load.peak_per_s)
    elsewhere = (sizing.ZONES - 1) / sizing.ZONES
    read = load.decisions * inputs.store_bytes * elsewhere
    return [
        (f"{nodes} nodes {sizing.STORE_NODE.kind}", nodes * HOURS, sizing.STORE_NODE.kind),
        ("reads from another zone", read / 1e9, "zone-transfer-gb"),
    ]


def _endpoint(design: Design, load: Load, inputs: Inputs) -> Quantities:
    instances = design.endpoint_instances(load.peak_per_s)
    if not instances:
        return []
    kind = design.endpoint.kind
    scored = load.decisions * inputs.endpoint_bytes
    return [
        (f"{instances} instances {kind}", instances * HOURS, kind),
        ("matrices in, scores out", scored / 1e9, "sagemaker-data-gb"),
    ]


def _gateway(design: Design, load: Load, inputs: Inputs) -> Quantities:
    tasks = design.gateway_tasks(load.peak_per_s)
    answered = load.decisions * (
        inputs.request_bytes + inputs.answer_bytes + 2 * inputs.header_bytes
    )
    cores = sizing.GATEWAY_TASK.cores
    return [
        (f"{tasks} tasks, their vCPUs", tasks * cores * HOURS, "fargate-vcpu-hour"),
        ("their memory", tasks * inputs.gateway_task_gb * HOURS, "fargate-gb-hour"),
        ("load balancer", HOURS, "balancer-hour"),
        ("what it carries", answered / 1e9, "balancer-lcu-hour"),
    ]


def _offline(load: Load, inputs: Inputs) -> Quantities:
    rows = inputs.rows_per_s * inputs.events_share_of_peak * SECONDS * inputs.row_bytes
    decisions = load.decisions * inputs.decision_bytes
    kept_gb_a_month = (rows + decisions / inputs.zip_ratio) / 1e9
    files = inputs.files_per_min * HOURS * 60
    carried = load.decisions * ceil(inputs.decision_bytes / FIREHOSE_STEP_BYTES)
    seldom_read_months = inputs.kept_months - inputs.often_read_months
    return [
        ("S3, read often", kept_gb_a_month * inputs.often_read_months, "s3-gb-month"),
        ("S3, read seldom", kept_gb_a_month * seldom_read_months, "s3-seldom-gb-month"),
        ("S3, files written", files / 1e3, "s3-put-1k"),
        ("Firehose, decisions", carried * FIREHOSE_STEP_BYTES / 1e9, "firehose-gb"),
        ("Athena", inputs.scanned_tb, "athena-tb"),
    ]


def _network(design: Design, load: Load, inputs: Inputs) -> Quantities:
    of_a_decision = inputs.decision_bytes + (inputs.endpoint_bytes if design.cost.endpoint else 0)
    carried = _event_bytes(inputs) + load.decisions * of_a_decision
    zones = inputs.interface_endpoints * sizing.ZONES
    return [
        ("interface endpoints", zones * HOURS, "endpoint-zone-hour"),
        ("what they carry", carried / 1e9, "endpoint-gb"),
    ]


def _operations(inputs: Inputs) -> Quantities:
    return [
        ("metrics", inputs.metrics, "cloudwatch-metric-month"),
        ("alarms", inputs.alarms, "cloudwatch-alarm-month"),
        ("dashboard", 1, "cloudwatch-dashboard-month"),
        ("logs", inputs.logs_gb, "cloudwatch-logs-gb"),
        ("keys", inputs.keys, "kms-key-month"),
        ("secrets", inputs.secrets, "secret-month"),
    ]


def _retraining(inputs: Inputs) -> Quantities:
    return [
        ("training", inputs.training_hours, "ml.m5.xlarge"),
        ("monitoring", inputs.monitoring_hours, "ml.m5.xlarge"),
    ]


def _price(prices: Mapping[str, Price], name: str) -> Price:
    if name not in prices:
        raise PriceError(f"no price {name!r}; add a row of that name to the table")
    return prices[name]
