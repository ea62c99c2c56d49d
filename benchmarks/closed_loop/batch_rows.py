"""The batch tables of one metro as arrays: each provider's profile, and its record by day."""

from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from feature_repo.model_matrix import full_name
from feature_repo.schema import PROVIDER_HISTORY, PROVIDER_PROFILE, SERVICE_CODES
from simulator import batch_tables
from simulator.luck import Floats, Ints
from simulator.providers import Providers

Columns = dict[str, npt.NDArray[Any]]


class BatchRows:
    """What ``feast materialize`` would have brought into the online store at a time."""

    def __init__(
        self, providers: Providers, seed: int, metro: str, span_s: tuple[float, float]
    ) -> None:
        """Make the tables as archives have them.

        Args:
            providers: Of the metro.
            seed: The world's.
            metro: Its name.
            span_s: From when to when rows will be asked for, epoch seconds.
        """
        first, last = (batch_tables.midnight(time_s) for time_s in span_s)
        with TemporaryDirectory() as folder:
            directory = Path(folder)
            profiles = pd.read_parquet(
                batch_tables.write_profiles(providers, directory, first, metro)
            )
            paths = batch_tables.write_records(
                providers, directory, first - batch_tables.ONE_DAY, last, (seed, metro)
            )
            records = [pd.read_parquet(path, partitioning=None) for path in paths]
        row = pd.Index(providers.ids)
        self._profiles: dict[str, Floats] = {
            full_name(PROVIDER_PROFILE.name, column): profiles.set_index("provider_id")[column]
            .reindex(row)
            .to_numpy(dtype=np.float64)
            for column in PROVIDER_PROFILE.column_names
        }
        self._records = [(_published_s(day), _by_service(day, row)) for day in records]

    def profile(self, candidates: Ints) -> Columns:
        """Return ``provider_profile`` of some providers, float64 [n] each."""
        return {name: column[candidates] for name, column in self._profiles.items()}

    def history(self, candidates: Ints, service: str, now_s: float) -> Columns:
        """Return ``provider_history`` of some providers for a service, as published by then.

        Raises:
            ValueError: No record was published by then.
        """
        known = [record for published_s, record in self._records if published_s <= now_s]
        if not known:
            raise ValueError(f"no provider_history was published by {now_s:.0f}: begin it earlier")
        values = known[-1][SERVICE_CODES[service]][candidates]
        return {
            full_name(PROVIDER_HISTORY.name, column): values[:, position]
            for position, column in enumerate(PROVIDER_HISTORY.column_names)
        }


def _published_s(day: pd.DataFrame) -> float:
    published: datetime = day["created_timestamp"].iloc[0]
    return published.timestamp()


def _by_service(day: pd.DataFrame, row: pd.Index) -> Floats:
    """Return the record of one day, float64 [services, providers, features]; NaN where none."""
    names = list(PROVIDER_HISTORY.column_names)
    return np.stack(
        [
            day[day["service"] == service]
            .set_index("provider_id")[names]
            .reindex(row)
            .to_numpy(dtype=np.float64)
            for service in SERVICE_CODES
        ]
    )
