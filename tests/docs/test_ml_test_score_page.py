"""The page on the ML Test Score: 28 checks, what they rest on, and what they add up to."""

import re
from collections import defaultdict

import pytest

from tests.docs.pages import DOCS, missing_tests, named_tests, rows

PAGE = (DOCS / "ml-test-score.md").read_text()
SECTIONS = ("Data", "Model", "Infrastructure", "Monitoring")
_CHECK = re.compile(rf"\| ({'|'.join(SECTIONS)}) (\d) \| (.+?) \| ([\d.]+) \| (.+) \| (.+?) \|")
CHECKS = [found.groups() for row in rows(PAGE) if (found := _CHECK.fullmatch(row))]


def _sums() -> dict[str, float]:
    sums: dict[str, float] = defaultdict(float)
    for section, _, _, score, _, _ in CHECKS:
        sums[section.lower()] += float(score)
    return sums


def test_there_are_28_checks() -> None:
    """Seven in each of the paper's four sections, in order."""
    expected = [(section, str(number)) for section in SECTIONS for number in range(1, 8)]
    assert [(section, number) for section, number, *_ in CHECKS] == expected


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: f"{check[0]} {check[1]}")
def test_a_score_is_shown_for(check: tuple[str, ...]) -> None:
    """A whole point names a test, half a one at least a command, and less than one says why."""
    *_, score, evidence, lacking = check
    least = {
        "1": named_tests(evidence),
        "0.5": named_tests(evidence) or "`python -m " in evidence,
        "0": True,
    }
    assert least[score]
    assert (lacking == "nothing") == (score == "1")


def test_the_score_is_the_least_sum() -> None:
    """The sums are those of the rows, and the score is the least of them."""
    told = dict(re.findall(r"^\| (\w+) \| ([\d.]+) \|$", PAGE, flags=re.MULTILINE))
    assert _sums() == {section: float(total) for section, total in told.items()}
    (score,) = re.findall(r"\*\*Score: ([\d.]+)\.\*\*", PAGE)
    assert float(score) == min(_sums().values())


def test_every_test_that_is_named_exists() -> None:
    """Files and functions, whole or by their beginning, are there."""
    assert missing_tests(PAGE) == []
