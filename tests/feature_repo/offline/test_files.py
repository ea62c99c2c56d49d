"""Which files count as a view's rows."""

from datetime import date
from pathlib import Path

import pytest

from feature_repo.offline.files import files_between, row_files

FIRST, LAST = date(2026, 1, 5), date(2026, 1, 6)


def _make(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def _names(folder: Path, paths: list[Path]) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in paths]


def test_only_days_that_may_be_wanted_are_read(tmp_path: Path) -> None:
    """Both end days count, and a file outside every day's folder may hold any."""
    days = [f"date=2026-01-{day:02d}/part-0.parquet" for day in (4, 5, 6, 7)]
    _make(tmp_path, *days, "all.parquet")
    found = _names(tmp_path, files_between(tmp_path, FIRST, LAST))
    assert found == ["all.parquet", *days[1:3]]
    assert len(files_between(tmp_path, None, None)) == 5


def test_a_file_that_is_being_written_does_not_count(tmp_path: Path) -> None:
    """Flink's files in progress and staging folders are left alone, as are other formats."""
    finished = "date=2026-01-05/part-0.parquet"
    _make(
        tmp_path,
        finished,
        "date=2026-01-05/.part-1.parquet.inprogress.7",
        "date=2026-01-05/.part-2.parquet",
        "_temporary/part-3.parquet",
        ".staging_1/date=2026-01-05/part-4.parquet",
        "date=2026-01-05/_SUCCESS",
    )
    assert _names(tmp_path, row_files(tmp_path)) == [finished]


def test_where_no_day_fits_a_file_still_tells_the_columns(tmp_path: Path) -> None:
    """A question about days without rows is answered with nulls, which needs the columns."""
    _make(tmp_path, "date=2025-01-01/part-0.parquet")
    assert len(files_between(tmp_path, FIRST, LAST)) == 1


def test_a_view_without_files_is_told_with_the_remedy(tmp_path: Path) -> None:
    """A folder that is not there, or empty, is named together with what fills it."""
    with pytest.raises(FileNotFoundError, match=r"motion has no Parquet file: run the backfill"):
        row_files(tmp_path / "motion")
