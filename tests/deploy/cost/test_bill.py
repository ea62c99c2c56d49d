from dataclasses import replace
from math import ceil

import pytest

from deploy import sizing
from deploy.cost.bill import HOURS, SECONDS, Line, Load, bill
from deploy.cost.designs import DESIGNS, FEAST, GPU, PRODUCT
from deploy.cost.inputs import Inputs
from deploy.cost.prices import PriceError, load
from deploy.streams import STREAMS

USUAL = Load(peak_per_s=1200, decisions=9e6)


def _lines(load_: Load = USUAL, inputs: Inputs | None = None) -> dict[tuple[str, str], Line]:
    lines = bill(PRODUCT, load_, load(), inputs or Inputs())
    return {(line.area, line.price.name): line for line in lines}


def test_sizes_are_paid_for_every_hour_of_the_month() -> None:
    """Shards, KPUs and what serves cost their price times the hours, in three zones."""
    lines = _lines()
    shards = sum(stream.shards for stream in STREAMS)
    assert lines["Streams", "kinesis-shard-hour"].dollars == pytest.approx(shards * 730 * 0.015)
    assert lines["Flink", "flink-kpu-hour"].quantity == (8 + 1) * HOURS
    # 1,200/s at 8 ms are 9.6 cores; at 70 % of 2 in a task, in two zones, 3.4 tasks: 4 a zone
    tasks = ceil(1200 * sizing.MEASURED.gateway / 1000 / (2 * 0.7) / 2) * 3
    assert lines["Gateway", "fargate-vcpu-hour"].quantity == tasks * 2 * HOURS
    assert lines["Gateway", "fargate-gb-hour"].quantity == tasks * 4 * HOURS


def test_volume_follows_the_decisions_and_sizes_the_peak() -> None:
    """Twice the decisions are twice their bytes on the same machines; twice the peak, the other."""
    before = _lines()
    more = _lines(replace(USUAL, decisions=18e6))
    higher = _lines(replace(USUAL, peak_per_s=2400))
    sized = {
        ("Gateway", "fargate-vcpu-hour"),
        ("Endpoint", "ml.c6i.xlarge"),
        ("Online store", "cache.m7g.large"),
    }
    carried = {
        ("Gateway", "balancer-lcu-hour"),
        ("Endpoint", "sagemaker-data-gb"),
        ("Online store", "zone-transfer-gb"),
        ("Offline store", "firehose-gb"),
    }
    for name in sized:
        assert more[name].quantity == before[name].quantity < higher[name].quantity * 1.001
    assert (
        higher["Gateway", "fargate-vcpu-hour"].quantity
        > before["Gateway", "fargate-vcpu-hour"].quantity
    )
    for name in carried:
        assert more[name].quantity == pytest.approx(2 * before[name].quantity)
        assert higher[name].quantity == before[name].quantity


def test_records_are_billed_in_steps() -> None:
    """A record counts as whole PUT units of 25 KB, and for Firehose as a multiple of 5 KB."""
    small = _lines(inputs=replace(Inputs(), decision_bytes=5 * 1024))
    large = _lines(inputs=replace(Inputs(), decision_bytes=25 * 1024 + 1))
    units = "Streams", "kinesis-put-million"
    assert large[units].quantity - small[units].quantity == pytest.approx(9)
    firehose = "Offline store", "firehose-gb"
    assert small[firehose].quantity == pytest.approx(9e6 * 5 * 1024 / 1e9)
    assert large[firehose].quantity == pytest.approx(9e6 * 30 * 1024 / 1e9)


def test_events_flow_whatever_is_decided() -> None:
    """Input events are there without a decision, at their share of the peak."""
    none = _lines(replace(USUAL, decisions=0))
    events = sum(stream.peak_records_per_s for stream in STREAMS if stream.is_input)
    units = none["Streams", "kinesis-put-million"].quantity
    assert units == pytest.approx(events * 0.65 * SECONDS / 1e6)


def test_a_gpu_costs_its_instances_and_nothing_else() -> None:
    """The GPU design differs in the endpoint alone, and has at least one instance a zone."""
    product, gpu = (bill(design, USUAL, load(), Inputs()) for design in (PRODUCT, GPU))
    changed = [line for line in gpu if line not in product]
    assert [line.price.name for line in changed] == ["ml.g5.xlarge"]
    assert GPU.endpoint_instances(1.0) == sizing.ZONES


def test_the_peer_scores_in_its_gateway() -> None:
    """Feast's SDK has no endpoint to pay for, and many more tasks and nodes."""
    lines = bill(FEAST, USUAL, load(), Inputs())
    assert not [line for line in lines if line.area == "Endpoint"]
    assert FEAST.gateway_tasks(1200) > 10 * PRODUCT.gateway_tasks(1200)
    assert FEAST.store_nodes(1200) > PRODUCT.store_nodes(1200)


def test_every_price_is_used_and_none_is_missing() -> None:
    """The table has what the bills ask for, each with its page and whether it was seen."""
    lines = [line for design in DESIGNS for line in bill(design, USUAL, load(), Inputs())]
    assert {line.price.name for line in lines} == set(load())
    for price in load().values():
        assert price.source.startswith("https://aws.amazon.com/")
        assert price.seen.startswith("2026-") or price.seen == "from memory; verify"
    with pytest.raises(PriceError, match="no price 'kinesis-shard-hour'; add a row"):
        bill(PRODUCT, USUAL, {}, Inputs())
