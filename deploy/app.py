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
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the templates and name them; return the exit code."""
    options = _parse(arguments)
    for path in synthesize(options.out):
        sys.stdout.write(f"{path}\n")
    return 0


def synthesize(out: Path) -> list[Path]:
    """Write the templates of all stacks into a directory and return their paths."""
    # jsii starts a Node process on import, which --help and a wrong argument need not wait for.
    from aws_cdk import App, Tags  # noqa: PLC0415

    from deploy.stacks.flink import FlinkStack  # noqa: PLC0415
    from deploy.stacks.streams import StreamsStack  # noqa: PLC0415

    app = App(outdir=str(out), analytics_reporting=False)
    streams = StreamsStack(app, "roadside-streams")
    FlinkStack(app, "roadside-flink", streams)
    Tags.of(app).add("product", "roadside-dispatch-ranking")
    assembly = app.synth()
    return [Path(stack.template_full_path) for stack in assembly.stacks]


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
