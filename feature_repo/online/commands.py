"""What Redis is asked for an entity's rows, made once an entity where it is asked all the time."""

from collections.abc import Sequence

from feature_repo.online.bulk_read import hmget
from feature_repo.online.keys import entity_key, row_field
from feature_repo.schema import ViewSchema


class Commands(dict[str, bytes]):
    """HMGET of some views' rows, by the entity's first join key.

    Args:
        project: The Feast project.
        views: Views with the same join keys.
        rest: The join keys after the first.
        at_most: How many commands are kept.
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
        return b"".join(map(self.__getitem__, ids))

    def __missing__(self, entity: str) -> bytes:
        key = entity_key(self._project, self._view, (entity, *self._rest))
        command = hmget([key], self._fields)
        if len(self) < self._at_most:
            self[entity] = command
        return command
