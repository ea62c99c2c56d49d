"""The record of 7, 30 and 90 days: what it tells of the hidden traits."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from simulator import batch_tables
from simulator.geography import cells_of
from simulator.metros import METROS
from simulator.providers import make_providers

_DAY = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """The record of 2,000 providers for one day."""
    providers = make_providers(2000, 5, cells_of(METROS[0]))
    directory: Path = tmp_path_factory.mktemp("record")
    (path,) = batch_tables.write_records(providers, directory, _DAY, _DAY, (5, "den"))
    return pd.read_parquet(path).assign(
        mobilise=lambda rows: rows["provider_id"].map(
            dict(zip(providers.ids, providers.hidden.mobilise_min, strict=True))
        ),
        quality=lambda rows: rows["provider_id"].map(
            dict(zip(providers.ids, providers.hidden.quality, strict=True))
        ),
    )


def test_what_was_accepted_was_completed_or_cancelled(record: pd.DataFrame) -> None:
    """Completion and cancellation are shares of the accepted jobs, and add up to one."""
    busy = record[record["jobs_90d"] > 0]
    total = busy["completion_rate_90d"] + busy["cancel_rate_90d"]
    np.testing.assert_allclose(total, 1, atol=1e-6)
    assert busy["completion_rate_90d"].corr(busy["quality"]) > 0.5
    assert record.loc[record["jobs_90d"] == 0, "completion_rate_90d"].isna().all()


def test_the_p90_lies_above_the_mean(record: pd.DataFrame) -> None:
    """Errors of arrival follow the usual minutes to roll; nine in ten are 1.28 x 8 min above."""
    busy = record[record["jobs_90d"] > 30]
    spread = busy["eta_error_p90_min_90d"] - busy["eta_error_mean_min_90d"]
    assert spread.mean() == pytest.approx(1.28 * 8, abs=0.3)
    assert busy["eta_error_mean_min_90d"].corr(busy["mobilise"]) > 0.7
    assert busy["satisfaction_90d"].corr(busy["quality"]) > 0.7


def test_a_record_is_of_the_days_before_and_known_after_midnight(record: pd.DataFrame) -> None:
    """A row is of midnight, and is published an hour after it."""
    assert (record["event_timestamp"] == pd.Timestamp(_DAY)).all()
    published = record["created_timestamp"] - record["event_timestamp"]
    assert (published == pd.Timedelta(hours=1)).all()
