"""Retrieval of features as of each request: rows in are rows out."""

import pandas as pd
import pytest

from tests.training.conftest import Prepared
from training import retrieval
from training.errors import DataError
from training.files import DECISIONS, read_frame


@pytest.mark.parametrize("broken", [[0, 1], [0, 1, 1], [0, 1, 2, 2]])
def test_lost_or_doubled_rows_stop_the_step(broken: list[int]) -> None:
    """A retrieval of three rows that lost or doubled any is refused."""
    found = pd.DataFrame({"row_number": broken})
    with pytest.raises(DataError, match=f"asked for 3 rows and returned {len(broken)}"):
        retrieval.require_same_rows(found, 3)


def test_a_join_that_loses_rows_stops_the_step(prepared: Prepared) -> None:
    """The count is asserted on what Feast really returned, not on what was asked."""

    class Lossy:
        def get_historical_features(self, entity_df: pd.DataFrame, **_: object) -> "Lossy":
            self.frame = entity_df.iloc[:-1]
            return self

        def to_df(self) -> pd.DataFrame:
            return self.frame

    decisions = read_frame(prepared.data / DECISIONS, "an archive").head(20)
    with pytest.raises(DataError, match="asked for 20 rows and returned 19"):
        retrieval.retrieve(decisions, Lossy())  # type: ignore[arg-type]


def test_a_repository_over_other_rows_is_refused(prepared: Prepared) -> None:
    """A registry that reads another archive is told, with the way to put it right."""
    with pytest.raises(DataError, match=r"feast apply.*FEATURE_DATA_DIR"):
        retrieval.open_store(prepared.feature_repo, prepared.data / "elsewhere")
