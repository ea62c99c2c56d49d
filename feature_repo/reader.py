"""Reading features for serving: one round trip for all candidates and all views.

Values are the ones that ``get_online_features`` returns; what differs is the way there: whole rows,
viewed as numpy arrays, without Feast's per-value protobufs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from redis import Redis

from feature_repo.keys import beacon_key, entity_key, row_field
from feature_repo.model_matrix import full_name
from feature_repo.row_codec import decode_rows, null_mask
from feature_repo.schema import VIEWS, Kind, ViewSchema


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
    """One view's rows for n entities.

    Attributes:
        columns: Full feature names to n values, as ``request_time.Columns`` wants them.
        missing: bool [n]: no row was there.
        mismatched: bool [n]: a row of another schema was there, and was not interpreted.
    """

    columns: dict[str, npt.NDArray[Any]]
    missing: npt.NDArray[np.bool_]
    mismatched: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Beacon:
    """How far a view's pipeline has come, epoch microseconds; watermark 0 before any event."""

    watermark_us: int
    wall_us: int


class FeatureReader:
    """Reads rows of one Feast project."""

    def __init__(self, client: Redis, project: str) -> None:
        self._client: Any = client
        self._project = project

    def read(self, lookups: Sequence[Lookup]) -> dict[str, ViewRows]:
        """Read every view of every lookup in one round trip.

        Returns:
            View names to their rows, in the order of the lookup's entities.

        Raises:
            redis.RedisError: Redis did not answer.
        """
        pipeline = self._client.pipeline(transaction=False)
        for lookup in lookups:
            fields = [row_field(view) for view in lookup.views]
            for values in lookup.entity_values:
                pipeline.hmget(entity_key(self._project, lookup.views[0], values), fields)
        answers = iter(pipeline.execute())
        return {
            view.name: _view_rows(view, stored)
            for lookup in lookups
            for view, stored in _by_view(lookup, [next(answers) for _ in lookup.entity_values])
        }

    def beacons(self, views: Sequence[str] = tuple(VIEWS)) -> dict[str, Beacon]:
        """Return the beacons that are there, by view."""
        pipeline = self._client.pipeline(transaction=False)
        for view in views:
            pipeline.hmget(beacon_key(self._project, view), "watermark_us", "wall_us")
        return {
            view: Beacon(watermark_us=int(watermark), wall_us=int(wall))
            for view, (watermark, wall) in zip(views, pipeline.execute(), strict=True)
            if watermark is not None and wall is not None
        }


def broadcast(columns: Mapping[str, npt.NDArray[Any]], count: int) -> dict[str, npt.NDArray[Any]]:
    """Repeat the columns of a single entity ``count`` times (without copying)."""
    return {name: np.broadcast_to(values, (count,)) for name, values in columns.items()}


def _by_view(
    lookup: Lookup, answers: list[list[bytes | None]]
) -> list[tuple[ViewSchema, list[bytes | None]]]:
    return [
        (view, [answer[index] for answer in answers]) for index, view in enumerate(lookup.views)
    ]


def _view_rows(view: ViewSchema, stored: list[bytes | None]) -> ViewRows:
    rows, usable, mismatched = decode_rows(view, stored)
    columns = {
        full_name(view.name, column.name): _column(view, rows, usable, column.name, column.kind)
        for column in view.columns
    }
    return ViewRows(columns=columns, missing=~usable & ~mismatched, mismatched=mismatched)


def _column(
    view: ViewSchema,
    rows: npt.NDArray[np.void],
    usable: npt.NDArray[np.bool_],
    name: str,
    kind: Kind,
) -> npt.NDArray[Any]:
    values: npt.NDArray[Any] = rows["values"][name]
    if kind is Kind.STRING:
        return values  # empty where there is no row: a blank row is all zeros
    column = values.astype(np.float64)
    column[~usable | null_mask(view, rows, name)] = np.nan
    return column
