"""The command: ``python -m deploy.flink_app --zip dist/flink-app.zip --bucket my-bucket``.

Run again with the same zip, template and parameters it does nothing; interrupted, it goes on.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import boto3

from deploy.flink_app import code
from deploy.flink_app.application import Restore
from deploy.flink_app.deployment import Clients, Deployment, Wanted, describe
from deploy.flink_app.failures import DeployError, refusals
from deploy.flink_app.progress import Progress

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Deploy, or show what would be done; return the exit code."""
    options = _parse(arguments)
    progress = Progress(_tell, options.poll_s, options.patience_s)
    try:
        wanted = _wanted(options)
        return run(_clients(options.endpoint_url), wanted, progress, only_plan=options.plan)
    except DeployError as error:
        _tell(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        _tell("interrupted; run the same command again to go on from here")
        return INTERRUPTED


def run(clients: Clients, wanted: Wanted, progress: Progress, *, only_plan: bool) -> int:
    """Plan, tell the plan, and carry it out unless only the plan is asked for."""
    deployment = Deployment(clients, wanted, progress)
    plan = deployment.plan()
    if plan.is_empty:
        deployment.verify()
        progress.tell(f"Nothing to do: {wanted.code.place} runs")
        return 0
    progress.tell("Will" if not only_plan else "Would")
    for step in describe(plan, wanted):
        progress.tell(f"  {step}")
    if only_plan:
        deployment.forget(plan)
        return 0
    deployment.carry_out(plan)
    progress.tell(f"Done: {wanted.code.place} runs")
    return 0


def _wanted(options: argparse.Namespace) -> Wanted:
    try:
        template = options.template.read_text()
        json.loads(template)
    except (OSError, ValueError) as error:
        raise DeployError(
            f"--template {options.template}: {error}; make it with `python -m deploy.app`"
        ) from error
    return Wanted(
        code=code.inspect(options.zip, options.bucket),
        stack=options.stack,
        template=template,
        parameters=dict(options.parameter),
        restore=options.restore,
        snapshot=options.snapshot,
    )


def _clients(endpoint_url: str | None) -> Clients:
    services = ("s3", "cloudformation", "kinesisanalyticsv2")
    with refusals("Connecting"):
        return Clients(*(boto3.client(service, endpoint_url=endpoint_url) for service in services))


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"{text!r} should be NAME=VALUE")
    return name, value


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.flink_app",
        description="Deploy the streaming application: its zip to S3, then its stack; restart it "
        "from a snapshot, and go back if it does not start.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--zip", type=Path, default=Path("dist/flink-app.zip"), help="of `make package-flink`")
    add("--bucket", required=True, help="bucket for the zip; must exist")
    add("--template", type=Path, default=Path("cdk.out/roadside-flink.template.json"),
        help="the stack's, of `python -m deploy.app`")  # fmt: skip
    add("--stack", default="roadside-flink", help="the stack's name")
    add("--parameter", type=_parameter, action="append", default=[], metavar="NAME=VALUE",
        help="a parameter of the stack; those not given keep their values")  # fmt: skip
    add("--restore", type=Restore, choices=list(Restore), default=Restore.SNAPSHOT,
        help="state to start with: a snapshot's, what of it fits, or none")  # fmt: skip
    add("--snapshot", metavar="NAME", help="the one to start from, instead of the newest")
    add("--plan", action="store_true", help="only show what would be done")
    add("--endpoint-url", help="of an emulator, instead of AWS")
    add("--poll-s", type=float, default=5.0, help="seconds between two looks at a state")
    add("--patience-s", type=float, default=900.0, help="seconds before a state is said to hang")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
