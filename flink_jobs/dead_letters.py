"""Dead letters: records that a job refused, and how they lie on the stream ``dead-letter``.

A record of that stream holds one letter or several, one JSON object a line: in a storm of bad
records one record a letter would meet the shard's limit of 1,000 records a second at once, and
Kinesis bills each record as at least 1 KB. The Python workers import this module, so it needs no
more than msgspec.
"""

import gzip
import hashlib
import zlib
from collections.abc import Iterable
from typing import Literal, get_args

import msgspec

Code = Literal[
    "not_json",
    "missing_field",
    "wrong_type",
    "out_of_range",
    "unknown_value",
    "in_future",
    "too_old",
    "late",
    "impossible_speed",
    "duplicate",
]
CODES: tuple[Code, ...] = get_args(Code)

PACKED_BYTES = 100_000
PACKED_LETTERS = 500
MAX_RECORD_BYTES = 1024 * 1024 - 256
"""What Kinesis takes in one record, less the longest partition key, which counts as well."""

LONG_REASON_CHARACTERS = 1000
KEPT_CHARACTERS = 100_000
"""Of a record that does not fit even when compressed; as JSON at most six bytes each."""

GZIP_LEVEL = 6
"""Enough for a megabyte of random bytes, in a tenth of the time of level 9."""
_GZIP_MAGIC = b"\x1f\x8b"
"""No JSON begins so."""


class UnreadableRecordError(ValueError):
    """A record that holds no dead letters of this form."""


class DeadLetter(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A record that could not be used.

    Attributes:
        source: The stream it came on.
        raw: The record as text. Bytes that were not UTF-8 are replacement characters here.
        code: What is wrong with it, for programs.
        reason: The same for people.
        job: The Flink job that refused it.
        ts: When it was refused, epoch milliseconds.
        received_ts: When it had arrived on its stream, epoch milliseconds.
        raw_sha256: Only when ``raw`` had to be cut: the digest of the whole, as UTF-8.
    """

    source: str
    raw: str
    code: Code
    reason: str
    job: str
    ts: int
    received_ts: int
    raw_sha256: str | None = None


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(DeadLetter)


def pack(letters: Iterable[DeadLetter]) -> list[bytes]:
    """Return the letters as the data of Kinesis records, in order.

    A record has at most ``PACKED_LETTERS`` and ``PACKED_BYTES``; a longer letter has one of its
    own. One that Kinesis would not take is compressed with gzip. One that is too long even so,
    which only a megabyte of noise with many control characters is, keeps the start of ``raw`` and
    the digest of the whole.
    """
    records: list[bytes] = []
    lines: list[bytes] = []
    size = 0
    for letter in letters:
        line = _encoder.encode(letter) + b"\n"
        size += len(line)
        if lines and (size > PACKED_BYTES or len(lines) == PACKED_LETTERS):
            records.append(b"".join(lines))
            lines, size = [], len(line)
        if len(line) > MAX_RECORD_BYTES:
            records.append(_shrink(letter))
            size = 0
        else:
            lines.append(line)
    if lines:
        records.append(b"".join(lines))
    return records


def unpack(data: bytes) -> list[DeadLetter]:
    """Return the letters of one Kinesis record.

    Raises:
        UnreadableRecordError: It was not written by ``pack``; the message names line and field.
    """
    lines = _plain(data).splitlines()
    return [_letter(line, number) for number, line in enumerate(lines, start=1)]


def partition_key(source: str, data: bytes) -> str:
    """Return the key of a packed record: one source's records spread over all shards.

    It begins with the source, for whoever looks at the stream, and is the same in every attempt.
    """
    return f"{source}/{zlib.crc32(data):08x}"


def _shrink(letter: DeadLetter) -> bytes:
    # The reason may quote the record; the record itself is what must be kept.
    reason = letter.reason[:LONG_REASON_CHARACTERS]
    packed = _compress(msgspec.structs.replace(letter, reason=reason))
    if len(packed) <= MAX_RECORD_BYTES:
        return packed
    digest = hashlib.sha256(letter.raw.encode()).hexdigest()
    kept = letter.raw[:KEPT_CHARACTERS]
    return _compress(msgspec.structs.replace(letter, reason=reason, raw=kept, raw_sha256=digest))


def _compress(letter: DeadLetter) -> bytes:
    # Without the time of compression another attempt gives the same bytes.
    return gzip.compress(_encoder.encode(letter) + b"\n", GZIP_LEVEL, mtime=0)


def _plain(data: bytes) -> bytes:
    if not data.startswith(_GZIP_MAGIC):
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableRecordError(
            f"{len(data)} bytes that begin like gzip: {error}; look at the record by hand"
        ) from error


def _letter(line: bytes, number: int) -> DeadLetter:
    try:
        return _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableRecordError(
            f"line {number}, {line[:60]!r}: {error}; it is no dead letter of this version: look "
            "at the record by hand"
        ) from error
