"""All stacks, put together."""

from pathlib import Path

from aws_cdk import App, Tags

from deploy.stacks.artifacts import ArtifactsStack
from deploy.stacks.flink import FlinkStack
from deploy.stacks.foundation import Foundation
from deploy.stacks.gateway import GatewayStack
from deploy.stacks.model import ModelStack
from deploy.stacks.network import NetworkStack
from deploy.stacks.objective import Deployed
from deploy.stacks.observability import ObservabilityStack
from deploy.stacks.retraining import RetrainingStack
from deploy.stacks.store import StoreStack
from deploy.stacks.streams import StreamsStack

_CONTEXT = {
    # Access logs are let into a bucket by its policy; by an access control list else, which AWS
    # has switched off for new buckets.
    "@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy": True,
}


def assemble(out: Path) -> App:
    """Return the app; it writes its templates into a directory when it is synthesized."""
    app = App(outdir=str(out), analytics_reporting=False, context=_CONTEXT)
    artifacts = ArtifactsStack(app, "roadside-artifacts")
    network = NetworkStack(app, "roadside-network")
    streams = StreamsStack(app, "roadside-streams")
    store = StoreStack(app, "roadside-store", network, streams)
    foundation = Foundation(artifacts, network, streams, store)
    FlinkStack(app, "roadside-flink", foundation)
    ModelStack(app, "roadside-model", foundation)
    gateway = GatewayStack(app, "roadside-gateway", foundation)
    retraining = RetrainingStack(app, "roadside-retraining", foundation)
    deployed = Deployed(
        balancer=gateway.balancer.load_balancer_full_name,
        tasks=gateway.targets.target_group_full_name,
        least_tasks=gateway.tasks,
        store_nodes=store.online.nodes,
        missed_starts=retraining.missed.queue_name,
    )
    ObservabilityStack(app, "roadside-observability", deployed)
    Tags.of(app).add("product", "roadside-dispatch-ranking")
    return app
