"""Made-up rows of every view, for all contestants: as numpy columns, a data frame, or protobufs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value

from feature_repo.online.row_codec import encode_rows
from feature_repo.online.row_values import Row, to_values
from feature_repo.schema import NUMPY_DTYPES, Kind, ProviderStatus, ViewSchema

SERVICE = "tow"
CELL = "872681234ffffff"
_STATUSES = [status.value for status in ProviderStatus]
_PLACES = {"lat": (39.3, 40.2), "lon": (-105.4, -104.5)}
_NULL_SHARE = 0.02
BATCH = 5_000
ROWS_A_PROVIDER = 4
"""Motion, availability, profile, and history for one service."""


@dataclass(frozen=True)
class MadeRows:
    """Rows of one view, at one moment."""

    schema: ViewSchema
    entities: list[tuple[str, ...]]
    columns: dict[str, Any]
    event_us: npt.NDArray[np.int64]

    def frame(self) -> pd.DataFrame:
        """Return them as Feast's push wants them."""
        keys = dict(zip(self.schema.join_keys, zip(*self.entities, strict=True), strict=True))
        values = {
            column.name: self._moments(column.name)
            if column.kind is Kind.TIMESTAMP
            else self.columns[column.name]
            for column in self.schema.columns
        }
        moment = pd.to_datetime(self.event_us, unit="us", utc=True)
        times = {"event_timestamp": moment, "created_timestamp": moment}
        return pd.DataFrame({**keys, **values, **times})

    def _moments(self, name: str) -> Any:
        return pd.to_datetime(self.columns[name], unit="us", utc=True)

    def protobufs(self) -> list[Row]:
        """Return them as Feast gives them to an online store."""
        encoded = encode_rows(self.schema, self.columns, self.event_us, self.event_us)
        return [
            (self._key(entity), values, moment, moment)
            for entity, (moment, values) in zip(
                self.entities,
                to_values(self.schema, encoded, self.schema.column_names),
                strict=True,
            )
            if moment is not None and values is not None
        ]

    def _key(self, entity: tuple[str, ...]) -> EntityKey:
        values = [Value(string_val=value) for value in entity]
        return EntityKey(join_keys=self.schema.join_keys, entity_values=values)


def provider_ids(count: int) -> list[str]:
    """Return the ids of so many providers."""
    return [f"den-{number:05d}" for number in range(count)]


def entities_of(schema: ViewSchema, providers: Sequence[str]) -> list[tuple[str, ...]]:
    """Return a view's entities: the providers', with one service, or the one cell."""
    if schema.join_keys == ("cell",):
        return [(CELL,)]
    values = {"service": SERVICE}
    return [tuple(values.get(key, provider) for key in schema.join_keys) for provider in providers]


@dataclass(frozen=True)
class World:
    """Who may be read or written, and the chance that picks them.

    Attributes:
        providers: Their ids.
        rng: Also makes the rows' values.
    """

    providers: Sequence[str]
    rng: np.random.Generator

    def some(self, count: int) -> list[str]:
        """Return so many different providers."""
        places = self.rng.choice(len(self.providers), count, replace=False)
        return [self.providers[place] for place in places]

    def batches(self, schema: ViewSchema, event_us: int) -> Iterator[MadeRows]:
        """Yield rows of all entities of a view, some thousands at a time."""
        entities = entities_of(schema, self.providers)
        for start in range(0, len(entities), BATCH):
            yield make(schema, entities[start : start + BATCH], event_us, self.rng)


def make(
    schema: ViewSchema, entities: list[tuple[str, ...]], event_us: int, rng: np.random.Generator
) -> MadeRows:
    """Make a row for each entity."""
    moments = np.full(len(entities), event_us, dtype=np.int64)
    columns = {c.name: _column(c.name, c.kind, moments, rng) for c in schema.columns}
    return MadeRows(schema, entities, columns, moments)


def _column(
    name: str, kind: Kind, moments: npt.NDArray[np.int64], rng: np.random.Generator
) -> npt.NDArray[Any]:
    count = len(moments)
    if kind is Kind.TIMESTAMP:
        return moments
    if kind is Kind.STRING:
        return np.array(rng.choice(_STATUSES if name == "status" else [CELL], count), dtype=object)
    if kind is Kind.BOOL:
        return rng.random(count) < 0.5
    values = rng.uniform(*_PLACES.get(name, (0, 50)), count).astype(NUMPY_DTYPES[kind])
    if values.dtype.kind == "f" and name not in _PLACES:
        values[rng.random(count) < _NULL_SHARE] = np.nan
    return values
