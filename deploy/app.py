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
    from deploy.stacks.assembly import assemble  # noqa: PLC0415
    from deploy.stacks.review import review  # noqa: PLC0415

    app = assemble(out)
    templates = [Path(stack.template_full_path) for stack in app.synth().stacks]
    return Synthesis(templates, review(app))


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
