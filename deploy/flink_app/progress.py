"""Telling what is done, and waiting for it."""

import time
from collections.abc import Callable, Container
from dataclasses import dataclass

from deploy.flink_app.failures import DeployError

TELL_EVERY_S = 30.0
LAG_S = 30.0
"""For so long a service may tell the state from before it was asked for another."""


@dataclass(frozen=True)
class Progress:
    """How to tell and how to wait.

    Attributes:
        tell: Takes one line.
        poll_s: Seconds between two looks at a state.
        patience_s: Seconds after which a state is said to hang.
    """

    tell: Callable[[str], None]
    poll_s: float = 5.0
    patience_s: float = 900.0

    def settled(
        self,
        what: str,
        read: Callable[[], str],
        passing: Container[str],
        former: str | None = None,
    ) -> str:
        """Read a state until it is none of those that pass by themselves; return it.

        The state is told when it changes, and now and then in between.

        Args:
            what: Whose state it is.
            read: Gives it.
            passing: States that pass by themselves.
            former: The state from before, which may be told for a moment more; it passes until
                another one is seen, for ``LAG_S`` at most.

        Raises:
            DeployError: It is still one of them after ``patience_s``.
        """
        began = told_at = time.monotonic()
        told = ""
        while True:
            state, now = read(), time.monotonic()
            lags = state == former and told in {"", former} and now - began <= LAG_S
            if not lags and state not in passing:
                break
            if now - began > self.patience_s:
                raise DeployError(
                    f"{what} is still {state} after {self.patience_s:g} s; look at its log, "
                    "or wait longer: --patience-s"
                )
            if state != told or now - told_at >= TELL_EVERY_S:
                self.tell(f"  {what} is {state}, {now - began:.0f} s")
                told, told_at = state, now
            time.sleep(self.poll_s)
        self.tell(f"  {what} is {state}, {time.monotonic() - began:.0f} s")
        return state
