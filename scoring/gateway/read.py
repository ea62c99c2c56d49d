"""The third stage: every stored feature of every candidate, in one round trip."""

from dataclasses import dataclass

import h3
import numpy as np
import numpy.typing as npt

from feature_repo.reader import FeatureReader, Lookup, broadcast
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
)
from scoring.gateway.messages import RecommendationRequest

PROVIDER_VIEWS = (PROVIDER_MOTION, PROVIDER_AVAILABILITY, PROVIDER_PROFILE)
CELL_VIEWS = (CELL_CONDITIONS, CELL_DEMAND)


@dataclass(frozen=True)
class CandidateTable:
    """The candidates and what is known of them.

    Attributes:
        provider_ids: n candidates.
        columns: Full feature names to n values.
        mismatched_rows: Views to how many rows were of another schema, and so not used.
    """

    provider_ids: list[str]
    columns: Columns
    mismatched_rows: dict[str, int]

    def take(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> "CandidateTable":
        """Return the table of only these rows (an index or a mask)."""
        index = np.arange(len(self.provider_ids))[rows]
        return CandidateTable(
            provider_ids=[self.provider_ids[i] for i in index],
            columns={name: values[index] for name, values in self.columns.items()},
            mismatched_rows=self.mismatched_rows,
        )


def read(
    reader: FeatureReader, request: RecommendationRequest, provider_ids: list[str]
) -> CandidateTable:
    """Read the candidates' rows and those of the driver's cell.

    Raises:
        redis.RedisError: Redis did not answer.
    """
    cell = h3.latlng_to_cell(request.location.lat, request.location.lon, H3_RESOLUTION)
    rows = reader.read(
        [
            Lookup(PROVIDER_VIEWS, [(provider_id,) for provider_id in provider_ids]),
            Lookup((PROVIDER_HISTORY,), [(p, request.service) for p in provider_ids]),
            Lookup(CELL_VIEWS, [(cell,)]),
        ]
    )
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
        mismatched_rows={name: int(found.mismatched.sum()) for name, found in rows.items()},
    )


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
