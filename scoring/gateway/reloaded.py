"""A file that a running gateway takes anew when it changes; a wrong one it leaves aside."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

from prometheus_client import Counter

from scoring.gateway.errors import ConfigurationError

logger = logging.getLogger(__name__)

LOOK_S = 1.0
"""A changed file is in use after so long; a look costs microseconds."""

RELOADS = Counter(
    "gateway_reloads_total",
    "Changed files, by whether they were taken or refused (the earlier one stays in use).",
    ["file", "outcome"],
)

T = TypeVar("T")
_Stamp = tuple[int, int, int] | None


class Reloaded(Generic[T]):
    """What a file says, as of its last good state.

    Attributes:
        value: What it says.
    """

    def __init__(
        self,
        path: Path,
        load: Callable[[Path], T],
        check_change: Callable[[T, T], None] = lambda _old, _new: None,
    ) -> None:
        """Load the file.

        Args:
            path: The file.
            load: Reads it; raises ``ConfigurationError`` where it is wrong.
            check_change: Told the value in use and the new one; may refuse in the same way.

        Raises:
            ConfigurationError: The file is wrong: without a first good state nothing starts.
        """
        self._path = path
        self._load = load
        self._check_change = check_change
        self._stamp = _stamp(path)
        self.value = load(path)

    def refresh(self) -> None:
        """Take the file anew if it is not as it was at the last look."""
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            value = self._load(self._path)
            self._check_change(self.value, value)
        except ConfigurationError as error:
            RELOADS.labels(file=self._path.name, outcome="refused").inc()
            logger.error("%s; the earlier one stays in use", error)  # noqa: TRY400 - it says all
            return
        self.value = value
        RELOADS.labels(file=self._path.name, outcome="taken").inc()
        logger.info("%s: changed, and taken", self._path)


async def keep_fresh(files: Sequence[Reloaded[Any]], look_s: float = LOOK_S) -> None:
    """Look at the files again and again, until cancelled."""
    while True:
        await asyncio.sleep(look_s)
        for file in files:
            file.refresh()


def _stamp(path: Path) -> _Stamp:
    """Return what changes with a file: its time, size and identity; None where it is not there."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
