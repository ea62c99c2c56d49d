"""The page on failures: what it says is tested is."""

from pathlib import Path

from tests.docs.named_tests import missing, named, rows

PAGE = (Path(__file__).parents[2] / "docs" / "failure-modes.md").read_text()


def test_every_row_names_a_test() -> None:
    """No failure stands in a table without a test that does it; the others are listed below."""
    assert rows(PAGE)
    assert [row for row in rows(PAGE) if not named(row.rsplit(" | ", 1)[1])] == []


def test_every_test_that_is_named_exists() -> None:
    """Files and functions, whole or by their beginning, are there."""
    assert missing(PAGE) == []
