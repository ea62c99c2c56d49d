"""How a step ends that did not do what it was asked."""

from collections.abc import Iterable


class RefusedError(Exception):
    """A gate failed, or the endpoint is not where the step begins; nothing was changed.

    Attributes:
        reasons: Why, one sentence each.
    """

    def __init__(self, *reasons: str) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


class RolledBackError(Exception):
    """What was begun was undone.

    Attributes:
        why: The reason.
    """

    def __init__(self, why: str, config: str) -> None:
        super().__init__(f"{why}; {config} serves")
        self.why = why


def refuse_for(reasons: Iterable[str]) -> None:
    """Raise RefusedError if there is any reason."""
    if found := tuple(reasons):
        raise RefusedError(*found)
