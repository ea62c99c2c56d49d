"""Packing dead letters into Kinesis records, and reading them back."""

import gzip
import hashlib
import random
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_jobs.dead_letters import (
    CODES,
    KEPT_CHARACTERS,
    MAX_RECORD_BYTES,
    PACKED_BYTES,
    PACKED_LETTERS,
    UnreadableRecordError,
    pack,
    partition_key,
    unpack,
)
from tests.flink_jobs.letters import letter

texts = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.lists(st.tuples(texts, st.sampled_from(CODES), texts)))
def test_letters_come_back_as_they_went(parts: list[tuple[str, str, str]]) -> None:
    """Whatever the text, each letter is found again, whole and in order."""
    letters = [letter(raw, code=code, reason=reason) for raw, code, reason in parts]

    assert [back for record in pack(letters) for back in unpack(record)] == letters


@pytest.mark.parametrize("characters", [1, 3000, 99_000])
def test_a_record_is_full_but_not_over_its_limits(characters: int) -> None:
    """Letters share a record up to its count or its bytes, and no sooner is another begun."""
    letters = [letter("x" * characters) for _ in range(PACKED_LETTERS * 2 + 1)]
    line = len(pack(letters[:1])[0])

    records = pack(letters)

    each = min(PACKED_LETTERS, PACKED_BYTES // line)
    full, rest = divmod(len(letters), each)
    assert [len(unpack(record)) for record in records] == [each] * full + [rest] * (rest > 0)


def test_a_record_is_lines_of_json() -> None:
    """What reads the stream without this module finds an object a line, the last one ended too."""
    (record,) = pack([letter("{broken"), letter("[]")])

    assert record.count(b"\n") == 2
    assert record.endswith(b"\n")
    assert record.startswith(b'{"source":"provider-gps","raw":"{broken","code":"out_of_range",')


@pytest.mark.parametrize(
    "long", ["b" * 2 * PACKED_BYTES, '"' * MAX_RECORD_BYTES], ids=["plain", "compressed"]
)
def test_a_long_letter_has_a_record_of_its_own(long: str) -> None:
    """A letter above a limit goes alone, compressed or not, and its neighbours keep their order."""
    letters = [letter("a"), letter(long), letter("c")]

    assert [unpack(record) for record in pack(letters)] == [[one] for one in letters]


@pytest.mark.parametrize(
    "raw",
    ['"' * 1_048_575, random.Random(1).randbytes(1_048_575).decode("utf-8", "replace")],
    ids=["quotes", "noise that is not UTF-8"],
)
def test_a_letter_that_kinesis_would_not_take_is_compressed(raw: str) -> None:
    """The longest record is kept whole, though as JSON it is longer than Kinesis takes."""
    (record,) = pack([letter(raw, reason=f"field 'status' is unknown: {raw}")])

    assert len(record) <= MAX_RECORD_BYTES
    (back,) = unpack(record)
    assert back.raw == raw
    assert back.raw_sha256 is None


def test_a_letter_that_cannot_be_kept_whole_says_so() -> None:
    """What no compression makes short enough is cut, with the digest of the whole."""
    raw = "".join(random.Random(1).choices([chr(code) for code in range(128)], k=2 * 1_048_576))

    (record,) = pack([letter(raw)])

    assert len(record) <= MAX_RECORD_BYTES
    (back,) = unpack(record)
    assert back.raw == raw[:KEPT_CHARACTERS]
    assert back.raw_sha256 == hashlib.sha256(raw.encode()).hexdigest()


def test_another_attempt_packs_the_same_bytes() -> None:
    """Neither the clock nor the process is in a record or its key."""
    plain, compressed = pack([letter("a"), letter('"' * 1_048_575)])

    assert plain == pack([letter("a")])[0]
    assert compressed[4:8] == bytes(4)  # where gzip has the time
    assert partition_key("weather", b"x") == "weather/8cdc1683"


def test_the_keys_of_one_source_spread_over_all_shards() -> None:
    """Records of one source go to every shard, and their key still names it."""
    records = pack(letter(f"{i}" * 60_000) for i in range(64))
    keys = [partition_key("provider-gps", record) for record in records]

    shards = {hashlib.md5(key.encode()).digest()[0] // 64 for key in keys}  # noqa: S324

    assert shards == {0, 1, 2, 3}
    assert all(key.startswith("provider-gps/") for key in keys)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'{"source":"weather"}', "line 1, .*missing required field `raw`"),
        (pack([letter()])[0] + b"{broken", "line 2, .*malformed"),
        (pack([letter()])[0].replace(b"out_of_range", b"odd"), "line 1, .*`\\$.code`"),
        (b"\xff\xfe", "line 1, "),
        (gzip.compress(b"{}")[:9], "begin like gzip"),
        (gzip.compress(b"{}", mtime=0)[:-2] + b"xx", "begin like gzip"),
    ],
)
def test_a_record_that_holds_no_letters_is_told_with_its_place(data: bytes, words: str) -> None:
    """The error names the line and the field, and nothing is made up for them."""
    with pytest.raises(UnreadableRecordError, match=words):
        unpack(data)


def test_workers_import_it_without_anything_heavy() -> None:
    """Flink's Python workers pay for msgspec and nothing else."""
    script = "import sys, flink_jobs.dead_letters; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", script], text=True).split()

    assert not {"numpy", "pandas", "boto3", "pyflink"} & set(loaded)
