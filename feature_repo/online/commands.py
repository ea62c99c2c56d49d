"""What Redis is asked for entities' rows; made once an entity where that is asked all the time."""

from collections.abc import Sequence

from feature_repo.online.bulk_read import hmget
from feature_repo.online.keys import entity_keys, row_field
from feature_repo.schema import ViewSchema


class Commands(dict[str, bytes]):
    """HMGET of some views' rows, by the entity's first join key.

    Args:
        project: The Feast project.
        views: Views with the same join keys.
        rest: The join keys after the first.
        at_most: How many commands are kept; with 0 all are made at once, and none is kept.
    """

    def __init__(
        self, project: str, views: Sequence[ViewSchema], rest: tuple[str, ...], at_most: int
    ) -> None:
        super().__init__()
        self._project = project
        self._view = views[0]
        self._fields = [row_field(view) for view in views]
        self._rest = rest
        self._at_most = at_most

    def of(self, ids: Sequence[str]) -> bytes:
        """Return the commands for these entities, one after another."""
        if not self._at_most:
            return self._make(ids)
        return b"".join(map(self.__getitem__, ids))

    def __missing__(self, entity: str) -> bytes:
        command = self._make([entity])
        if len(self) < self._at_most:
            self[entity] = command
        return command

    def _make(self, ids: Sequence[str]) -> bytes:
        entities = [(entity, *self._rest) for entity in ids]
        return hmget(entity_keys(self._project, self._view, entities), self._fields)
