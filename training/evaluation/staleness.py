"""What is lost when features are old, and whether the limits of ``schema.py`` are right.

The same test decisions are taken with the stream features as they were known some minutes
earlier. ``kept`` takes those values as if they were current: no limit. ``limited`` does what
serving does: what is beyond its view's ``max_age_s`` is unknown, and its age is told.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy.typing as npt
import pandas as pd

from feature_repo.analyst_frames import request_columns, stored_columns
from feature_repo.model_matrix import full_name, model_matrix
from feature_repo.request_time import REQUEST_INPUTS, Columns, RequestColumns
from feature_repo.schema import STREAM_VIEWS, ViewSchema
from training import retrieval
from training.errors import DataError
from training.evaluation.cases import Cases, predict_matrix
from training.evaluation.intervals import Estimate, EventSums, differences
from training.evaluation.measures import event_sums
from training.labels import KEYS
from training.models import TrainedModels

if TYPE_CHECKING:
    from feast import FeatureStore

DELAYS_MIN = (1.0, 2.0, 5.0, 15.0)
ALL_VIEWS = "all stream views"

Stored = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Staleness:
    """One delay of one view.

    Attributes:
        view: Its name, or ``ALL_VIEWS``.
        delay_min: How much older than at the decision the view was, minutes.
        kept: Each metric with the old values used, less the metric without delay.
        limited: The same with the limits of serving.
        kept_less_limited: What the limit costs where positive is better: old values less none.
    """

    view: str
    delay_min: float
    kept: dict[str, Estimate]
    limited: dict[str, Estimate]
    kept_less_limited: dict[str, Estimate]


@dataclass(frozen=True)
class Delayed:
    """The test rows and what was known of them, now and some minutes earlier."""

    cases: Cases
    request: RequestColumns
    now: Columns
    earlier: Columns
    delay_min: float

    def matrix(self, views: Sequence[ViewSchema], *, as_if_current: bool) -> npt.NDArray[Any]:
        """Return the model matrix with some views as they were earlier, float32 [n, features]."""
        columns = dict(self.now)
        for view in views:
            for feature in view.column_names:
                name = full_name(view.name, feature)
                columns[name] = self.earlier[name]
                if as_if_current and feature in {view.observed_at, view.age_feature}:
                    columns[name] = self.earlier[name] + self.delay_min * 60e6
        return model_matrix(columns, self.request)


def measure(
    cases: Cases, models: TrainedModels, decisions: pd.DataFrame, store: "FeatureStore", seed: int
) -> Iterator[Staleness]:
    """Yield what each delay costs, for all stream views together and for each alone.

    Raises:
        DataError: The decisions lack a test row, or Feast gave back other rows than asked for.
    """
    requested = requests(cases, decisions)
    request = request_columns(requested)
    now = stored_columns(retrieval.retrieve(requested, store))
    fresh = event_sums(cases, predict_matrix(models, model_matrix(now, request)))
    for delay_min in DELAYS_MIN:
        earlier = features_earlier(requested, store, delay_min)
        delayed = Delayed(cases, request, now, earlier, delay_min)
        yield _compare(delayed, (ALL_VIEWS, STREAM_VIEWS), models, fresh, seed)
        for view in STREAM_VIEWS:
            yield _compare(delayed, (view.name, (view,)), models, fresh, seed)


def requests(cases: Cases, decisions: pd.DataFrame) -> pd.DataFrame:
    """Return the join keys and the request (``REQUEST_INPUTS``) of each test row, in their order.

    Raises:
        DataError: The decisions lack a test row.
    """
    inputs = [column.name for column in REQUEST_INPUTS]
    asked = decisions[[*KEYS, "cell", "service", *inputs]]
    found = cases.rows[KEYS].merge(asked, on=KEYS, how="left", validate="one_to_one")
    missing = int(found["request_ts"].isna().sum())
    if missing:
        raise DataError(
            f"decisions lack {missing:,} of {len(found):,} test rows: "
            "give as --data the archive that the training set was made of"
        )
    return found


def features_earlier(requested: pd.DataFrame, store: "FeatureStore", delay_min: float) -> Stored:
    """Return the stored features as they were known some minutes before each request."""
    moment = requested["request_ts"] - pd.Timedelta(minutes=delay_min)
    return stored_columns(retrieval.retrieve(requested.assign(request_ts=moment), store))


def _compare(
    delayed: Delayed,
    chosen: tuple[str, Sequence[ViewSchema]],
    models: TrainedModels,
    fresh: EventSums,
    seed: int,
) -> Staleness:
    name, views = chosen
    kept, limited = (
        event_sums(delayed.cases, predict_matrix(models, delayed.matrix(views, as_if_current=mode)))
        for mode in (True, False)
    )
    return Staleness(
        name,
        delayed.delay_min,
        kept=differences(kept, fresh, seed),
        limited=differences(limited, fresh, seed),
        kept_less_limited=differences(kept, limited, seed),
    )
