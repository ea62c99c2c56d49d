"""What can go wrong while deploying, as one error whose message says what to do."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

_BUSY = "somebody else is changing it; wait until that is done and run the same command again"
_RIGHTS = "use credentials that may do this, or have it allowed"
REMEDIES = {
    "404": "create it, or name another",
    "AccessDenied": _RIGHTS,
    "AccessDeniedException": _RIGHTS,
    "ConcurrentModificationException": _BUSY,
    "ExpiredToken": "renew the credentials",
    "ResourceInUseException": _BUSY,
}


class DeployError(Exception):
    """A step failed; the message names what, its value, and the remedy."""


@contextmanager
def refusals(what: str) -> Iterator[None]:
    """Raise DeployError for what AWS refuses or does not answer within the block.

    Args:
        what: What is being asked for, as the beginning of a sentence.
    """
    try:
        yield
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        remedy = REMEDIES.get(code, "mend what it names and run the same command again")
        raise DeployError(f"{what} was refused with {code}: {message}; {remedy}") from error
    except BotoCoreError as error:
        raise DeployError(
            f"{what} failed: {error}; is the endpoint, region or profile right?"
        ) from error
