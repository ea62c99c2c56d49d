"""The third stage: every stored feature of every candidate, in one round trip."""

from functools import cache

import h3
import numpy as np

from feature_repo.model_matrix import full_name, is_stale
from feature_repo.online.async_reader import AsyncFeatureReader, Entities, Group
from feature_repo.online.reader import ViewRows
from feature_repo.request_time import RequestColumns
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
from scoring.gateway.candidate_table import CandidateTable, StackedColumns, UnusableRows
from scoring.gateway.messages import RecommendationRequest

PROVIDER_VIEWS = (PROVIDER_MOTION, PROVIDER_AVAILABILITY, PROVIDER_PROFILE)
CELL_VIEWS = (CELL_CONDITIONS, CELL_DEMAND)
_CELLS = frozenset(view.name for view in CELL_VIEWS)


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
    return _table(request_us, provider_ids, rows)


def recall(
    reader: AsyncFeatureReader,
    request: RecommendationRequest,
    request_us: int,
    provider_ids: list[str],
) -> CandidateTable:
    """Return the table that ``read`` would, of the rows read last; Redis is not asked."""
    rows = reader.recall(_asked(request, provider_ids), request_us)
    return _table(request_us, provider_ids, rows)


def _asked(request: RecommendationRequest, provider_ids: list[str]) -> list[Entities]:
    cell = h3.latlng_to_cell(request.location.lat, request.location.lon, H3_RESOLUTION)
    of_provider = (Group(PROVIDER_VIEWS), Group((PROVIDER_HISTORY,), (request.service,)))
    return [Entities([cell], (Group(CELL_VIEWS),)), Entities(provider_ids, of_provider)]


def _table(request_us: int, provider_ids: list[str], rows: dict[str, ViewRows]) -> CandidateTable:
    count = len(provider_ids)
    values = [
        np.broadcast_to(found.values, (len(found.values), count))
        if view in _CELLS
        else found.values
        for view, found in rows.items()
    ]
    texts = {
        full_name(view, name): text
        for view, found in rows.items()
        for name, text in found.texts.items()
    }
    return CandidateTable(
        provider_ids=provider_ids,
        columns=StackedColumns(_names(tuple(rows)), np.concatenate(values), texts),
        unusable=_unusable(rows, request_us),
    )


@cache
def _names(views: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(full_name(view, name) for view in views for name in VIEWS[view].column_names)


def _unusable(rows: dict[str, ViewRows], request_us: int) -> UnusableRows:
    return {
        name: {
            "missing": int(np.count_nonzero(found.missing)),
            "stale": _stale(found, request_us),
            "expired": int(np.count_nonzero(found.expired)),
            "mismatched": int(np.count_nonzero(found.mismatched)),
        }
        for name, found in rows.items()
    }


def _stale(rows: ViewRows, request_us: int) -> int:
    view = rows.view
    if view.max_age_s is None or view.age_feature is None:
        return 0
    observed_us = rows.values[view.column_names.index(view.age_feature)]
    return int(np.count_nonzero(is_stale(observed_us, request_us, view.max_age_s)))


def request_columns(
    request: RecommendationRequest, request_us: int, available_candidates: int
) -> RequestColumns:
    """Return the request as it is the same for all candidates."""
    values = np.array(
        [
            request_us,
            request.location.lat,
            request.location.lon,
            SERVICE_CODES[request.service],
            request.vehicle_class,
            request.promised_minutes,
            available_candidates,
        ],
        dtype=np.float64,
    )
    return RequestColumns(*values[:, np.newaxis])
