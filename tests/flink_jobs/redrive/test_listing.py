"""The table of letters."""

from flink_jobs.redrive.listing import Listing
from tests.flink_jobs.letters import letter

JANUARY_MS = 1_767_225_600_000


def test_letters_are_counted_by_source_code_and_job() -> None:
    """Each line has the count, the first and last time, and an example; the largest is first."""
    listing = Listing()
    for minute in (2, 0, 1):
        listing.add(letter("{broken", code="not_json", ts=JANUARY_MS + 60_000 * minute))
    listing.add(letter("x", source="weather", code="late", job="j", ts=JANUARY_MS, reason="late"))

    assert listing.text().splitlines() == [
        "source        code      job                letters  first refused         last refused",
        "provider-gps  not_json  roadside-features        3  2026-01-01T00:00:00Z  "
        "2026-01-01T00:02:00Z",
        "    field 'lat' is out of range: 95.0",
        "    {broken",
        "weather       late      j                        1  2026-01-01T00:00:00Z  "
        "2026-01-01T00:00:00Z",
        "    late",
        "    x",
    ]


def test_an_example_cannot_move_the_cursor() -> None:
    """A record is what somebody sent: it is shown on one line, escaped and cut."""
    listing = Listing()
    listing.add(letter("\x1b[2J\n" + "x" * 200))

    assert listing.text().splitlines()[-1] == "    \\x1b[2J\\n" + "x" * 155 + "..."


def test_an_empty_stream_says_so() -> None:
    """Nothing found is a sentence, not an empty table."""
    assert Listing().text() == "no dead letters"
