"""The cost page counts what the stacks have."""

from deploy import sizing
from deploy.cost.bill import ORCHESTRATION_KPUS, Load, bill
from deploy.cost.designs import PRODUCT
from deploy.cost.inputs import Inputs
from deploy.cost.prices import load
from tests.deploy.stacks.templates import Templates


def test_what_is_paid_by_the_piece_is_counted(templates: Templates) -> None:
    """Keys, secrets, alarms, interface endpoints and dashboards are as many as in the stacks."""
    endpoints = templates.resources("AWS::EC2::VPCEndpoint")
    interfaces = [e for e in endpoints if e["VpcEndpointType"] == "Interface"]
    inputs = Inputs()
    assert inputs.interface_endpoints == len(interfaces)
    assert inputs.keys == len(templates.resources("AWS::KMS::Key"))
    assert inputs.secrets == len(templates.resources("AWS::SecretsManager::Secret"))
    assert inputs.alarms == len(templates.resources("AWS::CloudWatch::Alarm"))
    assert len(templates.resources("AWS::CloudWatch::Dashboard")) == 1


def test_what_is_paid_by_the_hour_is_what_is_deployed(templates: Templates) -> None:
    """Tasks, instances, nodes, KPUs and shards of the bill are those of the templates."""
    load_ = Load(sizing.PEAK_DECISIONS_PER_S, decisions=1)
    lines = {line.price.name: line for line in bill(PRODUCT, load_, load(), Inputs())}
    (task,) = templates.resources("AWS::ECS::TaskDefinition")
    (service,) = templates.resources("AWS::ECS::Service")
    cores, memory_gb = int(task["Cpu"]) / 1024, int(task["Memory"]) / 1024
    assert lines["fargate-vcpu-hour"].quantity == service["DesiredCount"] * cores * 730
    assert lines["fargate-gb-hour"].quantity == service["DesiredCount"] * memory_gb * 730
    (endpoint,) = templates.resources("AWS::SageMaker::EndpointConfig")
    (variant,) = endpoint["ProductionVariants"]
    assert lines[variant["InstanceType"]].quantity == variant["InitialInstanceCount"] * 730
    (store,) = templates.resources("AWS::ElastiCache::ReplicationGroup")
    assert lines[store["CacheNodeType"]].quantity == store["NumCacheClusters"] * 730
    (application,) = templates.resources("AWS::KinesisAnalyticsV2::Application")
    flink = application["ApplicationConfiguration"]["FlinkApplicationConfiguration"]
    asked = flink["ParallelismConfiguration"]
    kpus = asked["Parallelism"] / asked["ParallelismPerKPU"] + ORCHESTRATION_KPUS
    assert lines["flink-kpu-hour"].quantity == kpus * 730
    streams = templates.resources("AWS::Kinesis::Stream")
    shards = sum(stream["ShardCount"] for stream in streams)
    assert lines["kinesis-shard-hour"].quantity == shards * 730
