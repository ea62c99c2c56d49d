"""Reading features for serving: one round trip for all candidates and all views.

Values are the ones that ``get_online_features`` returns; what differs is the way there: whole rows,
viewed as numpy arrays, without Feast's per-value protobufs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from redis import Redis

from feature_repo.model_matrix import full_name
from feature_repo.online.bulk_read import Fields, Wanted, read_fields
from feature_repo.online.keys import beacon_key, entity_keys, row_field
from feature_repo.online.read_route import ReadRoute
from feature_repo.online.row_columns import Decoded, ViewColumns
from feature_repo.schema import VIEWS, ViewSchema

_US_PER_S = 1e6

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Lookup:
    """Views to read for the same entities.

    Attributes:
        views: Views with the same join keys.
        entity_values: n entities, one text value a join key.
    """

    views: tuple[ViewSchema, ...]
    entity_values: Sequence[tuple[str, ...]]


@dataclass(frozen=True)
class ViewRows:
    """One view's rows for n entities, as of a time.

    Attributes:
        view: The view.
        values: float64 [columns, n]; NaN where there is no value, and for text.
        texts: Text columns by name to bytes [n].
        event_us: float64 [n]: the newest event inside each row, epoch us; NaN without a usable row.
        missing: bool [n]: no row was there.
        expired: bool [n]: the row is older than its view's TTL, and history does not see it either.
        mismatched: bool [n]: a row of another schema was there, and was not interpreted.
    """

    view: ViewSchema
    values: Floats
    texts: dict[str, npt.NDArray[Any]]
    event_us: Floats
    missing: Mask
    expired: Mask
    mismatched: Mask

    @classmethod
    def as_of(cls, view: ViewSchema, rows: Decoded, as_of_us: int) -> "ViewRows":
        """Return what rows say at a time, epoch us: one beyond its TTL says nothing."""
        expired = rows.event_us < as_of_us - view.ttl_s * _US_PER_S  # not where it is NaN
        missing = ~(rows.usable | rows.mismatched)
        values, texts, event_us = rows.values, rows.texts, rows.event_us
        if expired.any():
            values, event_us = values.copy(), event_us.copy()
            values[:, expired] = event_us[expired] = np.nan
            texts = {name: np.where(expired, b"", text) for name, text in texts.items()}
        return cls(view, values, texts, event_us, missing, expired, rows.mismatched)

    @cached_property
    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """Full feature names to n values, as ``request_time.Columns`` wants them."""
        columns: dict[str, npt.NDArray[Any]] = dict(
            zip(full_names(self.view.name, self.view.column_names), self.values, strict=True)
        )
        columns.update({full_name(self.view.name, name): t for name, t in self.texts.items()})
        return columns

    def ages_s(self, now_us: int) -> npt.NDArray[np.float32]:
        """Return how old each row is, float32 [n] seconds; NaN without a usable row."""
        return ((now_us - self.event_us) / _US_PER_S).astype(np.float32)


@dataclass(frozen=True)
class Beacon:
    """How far a view's pipeline has come, epoch microseconds; watermark 0 before any event."""

    watermark_us: int
    wall_us: int


@cache
def full_names(view: str, columns: tuple[str, ...]) -> tuple[str, ...]:
    """Return the full names of a view's columns."""
    return tuple(full_name(view, column) for column in columns)


def wanted_beacons(project: str, views: Sequence[str]) -> Wanted[dict[str, Beacon]]:
    """Return what to ask for the beacons that are there, by view."""
    keys = [beacon_key(project, view).encode() for view in views]
    return Wanted(
        count=len(keys),
        keys=keys.__getitem__,
        fields=(b"watermark_us", b"wall_us"),
        decode=lambda answers: {
            view: Beacon(watermark_us=int(watermark), wall_us=int(wall))
            for view, (watermark, wall) in zip(views, answers, strict=True)
            if watermark is not None and wall is not None
        },
    )


class FeatureReader:
    """Reads rows of one Feast project; threads share one."""

    def __init__(self, client: Redis, project: str, replicas: Sequence[Redis] = ()) -> None:
        self._route = ReadRoute(client, replicas)
        self._project = project
        self._columns: dict[str, tuple[ViewSchema, ViewColumns]] = {}

    def read(self, lookups: Sequence[Lookup], as_of_us: int) -> dict[str, ViewRows]:
        """Read every view of every lookup in one round trip.

        Args:
            lookups: What to read.
            as_of_us: The time of the request, epoch us, against which a row's TTL counts.

        Returns:
            View names to their rows, in the order of the lookup's entities.

        Raises:
            redis.RedisError: Redis did not answer.
        """
        wanted = [self._wanted(lookup, as_of_us) for lookup in lookups]
        found = self._route.ask(lambda client: read_fields(client, wanted))
        return {view: rows for views in found for view, rows in views.items()}

    def _wanted(self, lookup: Lookup, as_of_us: int) -> Wanted[dict[str, ViewRows]]:
        entities = lookup.entity_values
        return Wanted(
            count=len(entities),
            keys=lambda part: entity_keys(self._project, lookup.views[0], entities[part]),
            fields=[row_field(view) for view in lookup.views],
            decode=lambda answers: self._rows(lookup, answers, as_of_us),
        )

    def _rows(
        self, lookup: Lookup, answers: Sequence[Fields], as_of_us: int
    ) -> dict[str, ViewRows]:
        stored = zip(*answers, strict=True) if answers else ([] for _ in lookup.views)
        return {
            view.name: ViewRows.as_of(view, self._decode(view, rows), as_of_us)
            for view, rows in zip(lookup.views, stored, strict=True)
        }

    def _decode(self, view: ViewSchema, rows: Sequence[bytes | None]) -> Decoded:
        known = self._columns.get(view.name)
        if known is None or known[0] is not view:
            known = self._columns[view.name] = (view, ViewColumns(view))
        return known[1].decode(rows)

    def beacons(self, views: Sequence[str] = tuple(VIEWS)) -> dict[str, Beacon]:
        """Return the beacons that are there, by view.

        Raises:
            redis.RedisError: Redis did not answer.
        """
        wanted = [wanted_beacons(self._project, views)]
        (found,) = self._route.ask(lambda client: read_fields(client, wanted))
        return found
