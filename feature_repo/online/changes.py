"""Which entities' rows were written since they were read, as Redis itself tells (client tracking).

Redis sends every connection that asked for it the keys that are written, in the order of its
answers: what was read before a write is told after the answer. So a row at hand is used until it
changes, and no write is missed while the connection stands; when it is lost, anything may have
changed. A server that does not do it is noticed, and rows are then kept as if it said nothing.
"""

import logging
from collections.abc import Iterable, Sequence

from feature_repo.online.keys import entity_prefix, value_margins
from feature_repo.online.packed import packed
from feature_repo.schema import STREAM_VIEWS

KEYS_KEPT = 100_000
"""Told, and not yet asked for: when nobody reads for so long, anything may have changed."""

_LOG = logging.getLogger(__name__)


class Changes:
    """What Redis told the connections of one event loop and one Feast project.

    Attributes:
        trusted: Whether rows that are not told of are unchanged.
    """

    def __init__(self, project: str) -> None:
        by_keys = {view.join_keys: view for view in STREAM_VIEWS}
        self._entities = _Entities(
            (entity_prefix(keys), *value_margins(project, view)) for keys, view in by_keys.items()
        )
        self._keys: list[bytes] = []
        self._everything = False
        self.trusted = True

    def subscription(self) -> tuple[bytes, int]:
        """Return what a new connection asks first, and how many answers come."""
        prefixes = [word for prefix in self._entities.prefixes for word in (b"PREFIX", prefix)]
        tracking = packed(b"CLIENT", b"TRACKING", b"ON", b"BCAST", *prefixes)
        return packed(b"HELLO", b"3") + tracking, 2

    def refused(self, why: Exception) -> None:
        """Note that a server does not tell what changes."""
        if self.trusted:
            _LOG.warning("Redis does not tell what changes (%s): rows are read more often", why)
        self.trusted = False

    def lost(self) -> None:
        """Note that a connection is lost, and with it what it would have told."""
        self._everything = True

    def told(self, message: Sequence[object]) -> None:
        """Take a message of Redis's: the keys written, or that all are gone."""
        keys = message[1]
        if not isinstance(keys, list) or len(self._keys) + len(keys) > KEYS_KEPT:
            self._everything = True
        else:
            self._keys += keys

    def take(self) -> list[str] | None:
        """Return the first join keys of what was written since the last time; None is anything."""
        keys, everything = self._keys, self._everything
        self._keys, self._everything = [], False
        return None if everything else list(map(self._entities.__getitem__, keys))


class _Entities(dict[bytes, str]):
    """Entities by their keys, made once a key: the same ones change all the time."""

    def __init__(self, kinds: Iterable[tuple[bytes, int, int]]) -> None:
        super().__init__()
        self._kinds = list(kinds)
        self.prefixes = [prefix for prefix, *_ in self._kinds]

    def __missing__(self, key: bytes) -> str:
        if len(self) >= KEYS_KEPT:
            self.clear()
        before, after = next(margins for prefix, *margins in self._kinds if key.startswith(prefix))
        entity = self[key] = key[before : len(key) - after].decode(errors="replace")
        return entity
