"""The page on failures: what it says is tested is, and what it says to look at is there."""

import re

import pytest

from tests.docs.pages import DOCS, REPOSITORY, missing_tests, named_tests, rows

PAGE = (DOCS / "failure-modes.md").read_text()


def test_every_row_names_a_test() -> None:
    """No failure stands in a table without a test that does it; the others are listed below."""
    assert rows(PAGE)
    assert [row for row in rows(PAGE) if not named_tests(row.rsplit(" | ", 1)[1])] == []


def test_every_test_that_is_named_exists() -> None:
    """Files and functions, whole or by their beginning, are there."""
    assert missing_tests(PAGE) == []


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        (r"`(gateway_\w+)", "scoring/gateway"),
        (r"`roadside-([a-z0-9-]+(?:VIEW)?)`", "deploy/stacks"),
    ],
    ids=["metrics", "alarms"],
)
def test_what_is_looked_at_is_there(name: str, folder: str) -> None:
    """The gateway's metrics and the alarms have the names that their makers give them."""
    made = "".join(path.read_text() for path in (REPOSITORY / folder).rglob("*.py"))
    named = {found.replace("VIEW", "{view}") for found in re.findall(name, PAGE)}
    assert named
    assert {one for one in named if f'"{one}"' not in made} == set()
