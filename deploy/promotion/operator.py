"""The person who runs a step: is told what it will do, agrees, and is told how it goes."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass


class DeclinedError(Exception):
    """The person did not agree; nothing was changed."""


@dataclass(frozen=True)
class Plan:
    """What a step will do, in order, and how that is undone."""

    will: Sequence[str]
    undo: str


@dataclass(frozen=True)
class Operator:
    """Who runs the command.

    Attributes:
        agrees: Has agreed beforehand (``--yes``).
    """

    agrees: bool = False

    def say(self, text: str) -> None:
        """Tell a line."""
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def agree(self, plan: Plan) -> None:
        """Show a plan and go on only if the person agrees.

        Raises:
            DeclinedError: The person does not, or nobody is there to be asked.
        """
        for line in plan.will:
            self.say(f"will: {line}")
        self.say(f"undo: {plan.undo}")
        if self.agrees:
            return
        if not sys.stdin.isatty():
            raise DeclinedError("nobody is there to be asked; agree with --yes")
        if input("go on? [y/N] ").strip().lower() not in {"y", "yes"}:
            raise DeclinedError("not agreed; nothing was changed")
