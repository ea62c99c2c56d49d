"""The rows read last, as they were stored: what is still known of an entity when Redis is away.

Rows are kept as bytes, so that what is decoded of them later is what would be decoded of Redis:
their event times are inside, and with them their true age.
"""

from collections.abc import Sequence

from feature_repo.schema import ViewSchema

Fields = Sequence[bytes | None]
"""One entity's rows, a view each; None where Redis had none."""
Entity = tuple[str, ...]

ENTITIES_AT_MOST = 100_000


class RowMemory:
    """The newest reads, by views and entity; belongs to one event loop.

    Args:
        at_most: How many entities to keep for each combination of views that is read together;
            beyond it those that have been known for longest are forgotten.
    """

    def __init__(self, at_most: int = ENTITIES_AT_MOST) -> None:
        self._at_most = at_most
        self._rows: dict[tuple[str, ...], dict[Entity, Fields]] = {}

    def remember(
        self, views: Sequence[ViewSchema], entities: Sequence[Entity], answers: Sequence[Fields]
    ) -> None:
        """Keep what Redis just answered, one answer an entity."""
        rows = self._rows.setdefault(_names(views), {})
        # Tuples of bytes, unlike lists, are no work for the garbage collector.
        rows.update(zip(entities, map(tuple, answers), strict=True))
        while len(rows) > self._at_most:
            del rows[next(iter(rows))]

    def recall(self, views: Sequence[ViewSchema], entities: Sequence[Entity]) -> list[Fields]:
        """Return what is known of these entities, one answer each; None for what is not."""
        rows = self._rows.get(_names(views), {})
        unknown: Fields = (None,) * len(views)
        return [rows.get(entity, unknown) for entity in entities]


def _names(views: Sequence[ViewSchema]) -> tuple[str, ...]:
    return tuple(view.name for view in views)
