"""Which files hold a view's rows: ``<view>/date=YYYY-MM-DD/*.parquet``.

The day is that of the event, UTC. A file outside any ``date=`` folder is always read. Names that
begin with ``.`` or ``_`` are files that somebody is still writing.
"""

import re
from datetime import date
from pathlib import Path

_DAY = re.compile(r"date=(\d{4}-\d{2}-\d{2})")


def row_files(folder: Path) -> list[Path]:
    """Return the finished Parquet files of a view, in order of their names.

    Raises:
        FileNotFoundError: There is none; the message names the folder and the remedy.
    """
    paths = sorted(folder.rglob("*.parquet"))
    found = [path for path in paths if not _is_unfinished(path.relative_to(folder))]
    if not found:
        raise FileNotFoundError(
            f"{folder} has no Parquet file: run the backfill or the batch job that writes this "
            "view, or set FEATURE_DATA_DIR to the offline rows' folder and `feast apply` again"
        )
    return found


def files_between(folder: Path, first: date | None, last: date | None) -> list[Path]:
    """Return the files that may hold rows of the days from first to last, both included.

    A view always has a file to tell its columns: where no day fits, all files are returned.

    Raises:
        FileNotFoundError: As for ``row_files``.
    """
    found = row_files(folder)
    return [path for path in found if _is_between(day_of(path), first, last)] or found


def day_of(path: Path) -> date | None:
    """Return the day of a file's partition, or None where it lies in none."""
    for part in reversed(path.parts):
        matched = _DAY.fullmatch(part)
        if matched:
            return date.fromisoformat(matched[1])
    return None


def _is_between(day: date | None, first: date | None, last: date | None) -> bool:
    return day is None or ((first is None or first <= day) and (last is None or day <= last))


def _is_unfinished(relative: Path) -> bool:
    return any(part.startswith((".", "_")) for part in relative.parts)
