"""The third stage: every stored feature of every candidate, in one round trip."""

from dataclasses import dataclass

import h3
import numpy as np
import numpy.typing as npt

from feature_repo.model_matrix import stale_rows
from feature_repo.online.async_reader import AsyncFeatureReader, Entities, Group
from feature_repo.online.reader import ViewRows, broadcast
from feature_repo.request_time import Columns, RequestColumns
from feature_repo.schema import (
    CELL_CONDITIONS,
    CELL_DEMAND,
    H3_RESOLUTION,
    PROVIDER_AVAILABILITY,
    PROVIDER_HISTORY,
    PROVIDER_MOTION,
    PROVIDER_PROFILE,
    SERVICE_CODES,
    VIEWS,
)
from scoring.gateway.messages import RecommendationRequest

PROVIDER_VIEWS = (PROVIDER_MOTION, PROVIDER_AVAILABILITY, PROVIDER_PROFILE)
CELL_VIEWS = (CELL_CONDITIONS, CELL_DEMAND)


UnusableRows = dict[str, dict[str, int]]
"""Views to how many rows could not be used, by why: missing, stale (older than the view's
maximum age), expired (older even than its TTL), or mismatched (of another schema)."""


@dataclass(frozen=True)
class CandidateTable:
    """The candidates and what is known of them.

    Attributes:
        provider_ids: n candidates.
        columns: Full feature names to n values.
        unusable: How many rows could not be used; their values are NaN, or get so when the stale
            ones are blanked (``model_matrix``).
    """

    provider_ids: list[str]
    columns: Columns
    unusable: UnusableRows

    def take(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> "CandidateTable":
        """Return the table of only these rows (an index or a mask)."""
        index = np.arange(len(self.provider_ids))[rows]
        return CandidateTable(
            provider_ids=[self.provider_ids[i] for i in index.tolist()],
            columns={name: values.take(index) for name, values in self.columns.items()},
            unusable=self.unusable,
        )


async def read(
    reader: AsyncFeatureReader,
    request: RecommendationRequest,
    request_us: int,
    provider_ids: list[str],
) -> CandidateTable:
    """Read the candidates' rows and those of the driver's cell, as of the request's time.

    Raises:
        redis.RedisError: Redis did not answer.
    """
    rows = await reader.read(_asked(request, provider_ids), request_us)
    return _table(request, request_us, provider_ids, rows)


def recall(
    reader: AsyncFeatureReader,
    request: RecommendationRequest,
    request_us: int,
    provider_ids: list[str],
) -> CandidateTable:
    """Return the table that ``read`` would, of the rows read last; Redis is not asked."""
    rows = reader.recall(_asked(request, provider_ids), request_us)
    return _table(request, request_us, provider_ids, rows)


def _asked(request: RecommendationRequest, provider_ids: list[str]) -> list[Entities]:
    cell = h3.latlng_to_cell(request.location.lat, request.location.lon, H3_RESOLUTION)
    of_provider = (Group(PROVIDER_VIEWS), Group((PROVIDER_HISTORY,), (request.service,)))
    return [Entities([cell], (Group(CELL_VIEWS),)), Entities(provider_ids, of_provider)]


def _table(
    request: RecommendationRequest,
    request_us: int,
    provider_ids: list[str],
    rows: dict[str, ViewRows],
) -> CandidateTable:
    cell_names = {view.name for view in CELL_VIEWS}
    columns = {}
    for name, view_rows in rows.items():
        count = len(provider_ids)
        columns.update(
            broadcast(view_rows.columns, count) if name in cell_names else view_rows.columns
        )
    return CandidateTable(
        provider_ids=provider_ids,
        columns=columns,
        unusable=_unusable(rows, request_columns(request, request_us, 1, 0)),
    )


def _unusable(rows: dict[str, ViewRows], now: RequestColumns) -> UnusableRows:
    unusable = {}
    for name, found in rows.items():
        stale = stale_rows(VIEWS[name], found.columns, now)
        unusable[name] = {
            "missing": int(np.count_nonzero(found.missing)),
            "stale": 0 if stale is None else int(np.count_nonzero(stale)),
            "expired": int(np.count_nonzero(found.expired)),
            "mismatched": int(np.count_nonzero(found.mismatched)),
        }
    return unusable


def request_columns(
    request: RecommendationRequest, request_us: int, rows: int, available_candidates: int
) -> RequestColumns:
    """Return the request repeated over so many candidates."""
    return RequestColumns(
        request_us=np.full(rows, request_us, dtype=np.float64),
        lat=np.full(rows, request.location.lat),
        lon=np.full(rows, request.location.lon),
        service_code=np.full(rows, SERVICE_CODES[request.service], dtype=np.float64),
        vehicle_class=np.full(rows, request.vehicle_class, dtype=np.float64),
        promised_minutes=np.full(rows, request.promised_minutes, dtype=np.float64),
        available_candidates=np.full(rows, available_candidates, dtype=np.float64),
    )
