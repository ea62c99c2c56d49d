"""What a gateway would have read for a choice: the observed views, and the batch tables."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.closed_loop.batch_rows import BatchRows
from feature_repo.model_matrix import without_stale_values
from feature_repo.request_time import Columns, RequestColumns, is_available
from feature_repo.schema import SERVICE_CODES
from simulator.policy import Choice


@dataclass(frozen=True)
class Seen:
    """What is known of the n candidates of a choice: columns as ``model_matrix`` takes them."""

    columns: Columns
    request: RequestColumns

    def fresh(self) -> Columns:
        """Return the columns without what is older than serving would use."""
        return without_stale_values(self.columns, self.request)


def seen(choice: Choice, batch: BatchRows) -> Seen:
    """Return what is known of the candidates at the decision: nothing of the truth.

    Raises:
        ValueError: The world does not keep what is observed.
    """
    if choice.observed is None:
        raise ValueError("the world keeps nothing observed: make it with observed=True")
    request = choice.request
    columns = {
        **choice.observed.as_of(choice.candidates, request.cell, choice.now_s),
        **batch.profile(choice.candidates),
        **batch.history(choice.candidates, request.service, choice.now_s),
    }
    count = len(choice.candidates)
    available = float(np.nansum(is_available(columns["provider_availability__status"])))

    def repeated(value: float) -> npt.NDArray[np.float64]:
        return np.full(count, value, dtype=np.float64)

    return Seen(
        columns,
        RequestColumns(
            request_us=repeated(round(1000 * choice.now_s) * 1000),
            lat=repeated(request.lat),
            lon=repeated(request.lon),
            service_code=repeated(SERVICE_CODES[request.service]),
            vehicle_class=repeated(request.vehicle_class),
            promised_minutes=repeated(request.promised_minutes),
            available_candidates=repeated(available),
        ),
    )
