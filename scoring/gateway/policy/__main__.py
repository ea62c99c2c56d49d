"""Checks a policy file and says in words what it does: ``python -m scoring.gateway.policy``."""

import argparse
import sys
from pathlib import Path

from scoring.gateway.errors import ConfigurationError
from scoring.gateway.policy.file import DEFAULT_POLICY, load_policy
from scoring.gateway.policy.words import in_words

USAGE_ERROR = 2


def main(arguments: list[str] | None = None) -> int:
    """Check one file; return the exit code, 2 where it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m scoring.gateway.policy",
        description="Checks a policy file, and says in words what it does. Exit code 2: it is "
        "wrong, and the message names the field.",
    )
    parser.add_argument(
        "file", type=Path, nargs="?", default=DEFAULT_POLICY, help="default: the gateway's own"
    )
    path = parser.parse_args(arguments).file
    try:
        policy = load_policy(path)
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return USAGE_ERROR
    sys.stdout.write("\n".join(in_words(policy)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
