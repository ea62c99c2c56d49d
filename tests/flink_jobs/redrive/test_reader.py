"""Reading a stream up to a moment."""

from itertools import islice

import pytest

from flink_jobs.redrive import reader
from flink_jobs.redrive.errors import RedriveError
from flink_jobs.redrive.reader import Span, read
from tests.flink_jobs.redrive.stream import FakeStream

ALL = Span(None, 1000)
FIVE = [(i, f"{i}".encode()) for i in range(5)]


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "ROUND_S", 0.0)


def _data(
    stream: FakeStream, span: Span = ALL, positions: dict[str, str] | None = None
) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    for page in read(stream, "dead-letter", span, positions or {}):
        found.setdefault(page.shard, []).extend(record.data for record in page.records)
    return found


def test_every_shard_is_read_to_its_end() -> None:
    """All records of all shards are found, each shard's in order."""
    stream = FakeStream({"a": FIVE, "b": [(1, b"x")], "c": []})

    assert _data(stream) == {"a": [b"0", b"1", b"2", b"3", b"4"], "b": [b"x"], "c": []}


def test_shards_take_turns() -> None:
    """No shard waits until another one has been read."""
    stream = FakeStream({"a": FIVE, "b": FIVE})

    pages = islice(read(stream, "dead-letter", ALL, {}), 4)

    assert [page.shard for page in pages] == ["a", "b", "a", "b"]


def test_what_arrives_after_the_moment_is_left() -> None:
    """Reading ends at the first record of the moment, and takes none that lies behind it."""
    stream = FakeStream({"a": [(1, b"0"), (2, b"1"), (3, b"2"), (1, b"3"), (1, b"4")]})

    assert _data(stream, Span(None, 3)) == {"a": [b"0", b"1"]}


def test_reading_begins_at_the_first_arrival_asked_for() -> None:
    """Older records are not read at all."""
    assert _data(FakeStream({"a": FIVE}), Span(3, 1000)) == {"a": [b"3", b"4"]}


def test_reading_goes_on_after_the_positions() -> None:
    """A shard with a position begins after it, one without at the span's start."""
    stream = FakeStream({"a": FIVE, "b": FIVE[:1]})

    assert _data(stream, Span(0, 1000), {"a": "3"}) == {"a": [b"4"], "b": [b"0"]}


@pytest.mark.parametrize(
    "code", ["ExpiredIteratorException", "ProvisionedThroughputExceededException"]
)
def test_a_read_that_is_refused_for_now_is_done_again(code: str) -> None:
    """A throttled read and an iterator that expired meanwhile lose and repeat nothing."""
    stream = FakeStream({"a": FIVE})
    pages = read(stream, "dead-letter", ALL, {})
    first = next(pages)
    stream.refusals = [code, code]

    rest = list(pages)

    data = [record.data for page in (first, *rest) for record in page.records]
    assert data == [b"0", b"1", b"2", b"3", b"4"]


def test_a_read_that_is_refused_for_good_says_what_to_check() -> None:
    """Another refusal ends the reading, with the stream's name and the settings."""
    stream = FakeStream({"a": FIVE})
    stream.refusals = ["AccessDeniedException"]

    with pytest.raises(RedriveError, match=r"'dead-letter' cannot be read.*right to read"):
        _data(stream)
