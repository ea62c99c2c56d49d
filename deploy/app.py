"""The CDK application: writes the CloudFormation templates; needs no account and no network.

    python -m deploy.app --out cdk.out
    npx aws-cdk@2.1148.1 --app cdk.out deploy roadside-streams

The second command needs an account; what it deploys is what the first one wrote. Both need Node
22 or 24 (20 works with a warning), and the packages of the extra ``deploy`` in an environment of
their own, see ``constraints-deploy.txt``.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

FINDINGS = 3
"""Exit code: the templates are written, and the review has something against them."""

_CONTEXT = {
    # Access logs are let into a bucket by its policy; by an access control list else, which AWS
    # has switched off for new buckets.
    "@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy": True,
}


@dataclass(frozen=True)
class Synthesis:
    """What was written.

    Attributes:
        templates: The templates of all stacks, in the order in which they are deployed.
        findings: What the review by a rule pack has against them; they are not to be deployed then.
    """

    templates: list[Path]
    findings: list[str]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the templates and name them; return the exit code."""
    options = _parse(arguments)
    synthesis = synthesize(options.out)
    for path in synthesis.templates:
        sys.stdout.write(f"{path}\n")
    for finding in synthesis.findings:
        sys.stderr.write(f"{finding}\n")
    return FINDINGS if synthesis.findings else 0


def synthesize(out: Path) -> Synthesis:
    """Write the templates of all stacks into a directory, and review them."""
    # jsii starts a Node process on import, which --help and a wrong argument need not wait for.
    from aws_cdk import App, Tags  # noqa: PLC0415

    from deploy.stacks.artifacts import ArtifactsStack  # noqa: PLC0415
    from deploy.stacks.flink import FlinkStack  # noqa: PLC0415
    from deploy.stacks.foundation import Foundation  # noqa: PLC0415
    from deploy.stacks.gateway import GatewayStack  # noqa: PLC0415
    from deploy.stacks.model import ModelStack  # noqa: PLC0415
    from deploy.stacks.network import NetworkStack  # noqa: PLC0415
    from deploy.stacks.objective import Deployed  # noqa: PLC0415
    from deploy.stacks.observability import ObservabilityStack  # noqa: PLC0415
    from deploy.stacks.retraining import RetrainingStack  # noqa: PLC0415
    from deploy.stacks.review import review  # noqa: PLC0415
    from deploy.stacks.store import StoreStack  # noqa: PLC0415
    from deploy.stacks.streams import StreamsStack  # noqa: PLC0415

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
    stacks = app.synth().stacks
    return Synthesis([Path(stack.template_full_path) for stack in stacks], review(app))


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.app",
        description="Write the CloudFormation templates of all stacks.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--out", type=Path, default=Path("cdk.out"), help="where to write them")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
