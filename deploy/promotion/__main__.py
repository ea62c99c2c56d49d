"""The command: ``python -m deploy.promotion STEP``; ``--help`` lists the steps."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from deploy.promotion import limits
from deploy.promotion.context import Context, connect
from deploy.promotion.endpoint import POLL_S
from deploy.promotion.failures import RefusedError, RolledBackError
from deploy.promotion.limits import LimitError, Limits
from deploy.promotion.operator import DeclinedError, Operator
from deploy.promotion.steps.canary import canary
from deploy.promotion.steps.compare import compare
from deploy.promotion.steps.register import register
from deploy.promotion.steps.reject import reject
from deploy.promotion.steps.rollback import rollback
from deploy.promotion.steps.shadow import shadow
from deploy.promotion.steps.status import status

DONE, NOT_DONE, USAGE_ERROR, INTERRUPTED = 0, 1, 2, 130
BAKE_S = 600
LONGEST_BAKE_S = 3600


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a step; return 0 for done, 1 for refused or rolled back, 2 for a usage error."""
    options = _parser().parse_args(arguments)
    operator = Operator(agrees=options.yes)
    try:
        allowed = Limits().changed(options.limit)
        _run(connect(operator, allowed, options.poll_s), options)
    except (RefusedError, DeclinedError) as error:
        for reason in getattr(error, "reasons", [str(error)]):
            operator.say(f"refused: {reason}")
        return NOT_DONE
    except RolledBackError as error:
        operator.say(f"rolled back: {error}")
        return NOT_DONE
    except (LimitError, ValueError, BotoCoreError, ClientError) as error:
        sys.stderr.write(f"error: {error}\n")
        return USAGE_ERROR
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; `python -m deploy.promotion status` says what serves\n")
        return INTERRUPTED
    return DONE


def _run(context: Context, options: argparse.Namespace) -> None:
    match options.step:
        case "register":
            register(context, options.bundle, options.evaluation, options.to, options.image)
        case "shadow":
            place, percent = options.captures, options.capture_percent
            shadow(context, options.version, place, percent, options.bake_s)
        case "compare":
            compare(context, options.monitoring)
        case "canary":
            canary(context, options.version, options.bake_s)
        case "rollback":
            rollback(context)
        case "reject":
            reject(context, options.version)
        case _:
            status(context)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.promotion",
        description="Bring a model into production, one step a command: register, shadow,\n"
        "compare, canary. Each shows what it will do, does it and verifies it, or refuses\n"
        "and says why. rollback undoes shadow and canary, reject register and compare.",
        epilog=f"limits:\n{limits.described()}\nexit code: 0 done, 1 refused or rolled back, "
        "2 usage",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--yes", action="store_true", help="agree to the plan beforehand")
    parser.add_argument(
        "--limit", action="append", default=[], metavar="NAME=VALUE", help="change one limit"
    )
    parser.add_argument(
        "--poll-s", type=float, default=POLL_S, help="look after a change so often, seconds"
    )
    steps = parser.add_subparsers(dest="step", required=True, metavar="STEP")
    _add_register(steps)
    _add_shadow(steps)
    added = _add(steps, "compare", "compare the shadow with production, and approve its version")
    added.add_argument(
        "--monitoring", type=Path, required=True, help="--out of python -m training.monitoring"
    )
    added = _add(
        steps, "canary", "give an approved version 5 and 25 percent, then all, of the requests"
    )
    _add_version(added)
    _add_bake(added)
    _add(steps, "rollback", "serve what was served before the promotion")
    _add_version(_add(steps, "reject", "take a version out of the running"))
    _add(steps, "status", "say what is served, and what is in the registry")
    return parser


def _add_register(steps: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    added = _add(steps, "register", "put a bundle into the registry")
    added.add_argument("--bundle", type=Path, required=True, help="the bundle's directory")
    added.add_argument(
        "--evaluation", type=Path, required=True, help="its evaluation.json (training.steps)"
    )
    added.add_argument("--to", required=True, help="where archives are kept, s3://bucket/prefix")
    added.add_argument("--image", help="the container; if left out, that of production")


def _add_shadow(steps: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    added = _add(steps, "shadow", "let a version answer copies of production's requests")
    _add_version(added)
    added.add_argument("--captures", help="where to capture; if left out, where it is done already")
    added.add_argument(
        "--capture-percent", type=_percent, default=10, help="of the requests; default 10"
    )
    _add_bake(added)


def _add(
    steps: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, what: str
) -> argparse.ArgumentParser:
    return steps.add_parser(name, help=what, description=f"{what}.")


def _add_version(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--version", type=int, required=True, help="in the registry")


def _add_bake(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--bake-s", type=_bake, default=BAKE_S, help=f"watch a change so long; default {BAKE_S}"
    )


def _percent(text: str) -> int:
    percent = int(text)
    if not 1 <= percent <= 100:
        raise argparse.ArgumentTypeError(f"{percent} is no share; use 1 to 100")
    return percent


def _bake(text: str) -> int:
    seconds = int(text)
    if not 1 <= seconds <= LONGEST_BAKE_S:
        raise argparse.ArgumentTypeError(f"{seconds} s; SageMaker takes 1 to {LONGEST_BAKE_S}")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
