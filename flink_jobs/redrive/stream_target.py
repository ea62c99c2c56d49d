"""Letters back on their streams, for the live job."""

import time
import zlib
from collections.abc import Callable, Sequence

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from flink_jobs import kinesis
from flink_jobs.dead_letters import MAX_RECORD_BYTES, DeadLetter
from flink_jobs.redrive.errors import RedriveError
from flink_jobs.redrive.targets import KEY_FIELDS, common_objection
from flink_jobs.settings import Settings
from flink_jobs.validation import CHECKS

USE_ARCHIVE = "use --to archive DIR and a backfill"
OR_FORCE = f"{USE_ARCHIVE}, or --force to put them all the same"


class StreamTarget:
    """Puts each record on the stream it came from, at most so many a second.

    Letters that the live job would only send back are objected to, unless forced.
    """

    name = "stream"

    def __init__(
        self,
        client: kinesis.Client,
        settings: Settings,
        rate_per_s: float,
        *,
        force: bool,
        now_ms: Callable[[], int],
    ) -> None:
        self._client = client
        self._streams = settings.streams
        self._times = settings.event_time
        self._rate_per_s = rate_per_s
        self._force = force
        self._now_ms = now_ms
        self._known: set[str] = set()
        self._free_at_s = 0.0

    def objection(self, letter: DeadLetter) -> str | None:
        """Return why the letter would only come back, if so."""
        objection = common_objection(letter)
        if objection is not None:
            return objection
        if len(letter.raw.encode()) > MAX_RECORD_BYTES:
            return f"longer than the {MAX_RECORD_BYTES:,} bytes of a Kinesis record: {USE_ARCHIVE}"
        return None if self._force else self._comes_back(letter)

    def _comes_back(self, letter: DeadLetter) -> str | None:
        happened_ms = event_ms(letter.raw)
        if happened_ms is None:  # it was before its arrival, so it is at least as old
            happened_ms = letter.received_ts
        now_ms = self._now_ms()
        age_s = (now_ms - happened_ms) / 1000
        if age_s > self._times.max_age_s:
            limit = f"event_time.max_age_s is {self._times.max_age_s:g}"
            return f"too old by now for the live job ({limit}): {OR_FORCE}"
        if -age_s > self._times.max_future_s:
            limit = f"event_time.max_future_s is {self._times.max_future_s:g}"
            return f"still in the future ({limit}): run again with a new state file when it is past"
        if letter.code == "late" or self._is_closed(letter.source, happened_ms, now_ms):
            return f"the windows that would count them are closed: {OR_FORCE}"
        if letter.code == "duplicate":
            return "the job has counted them already: leave them, or --force to put them again"
        return None

    def _is_closed(self, stream: str, happened_ms: int, now_ms: int) -> bool:
        """Return whether the job's last window with the event has ended, and is not waited for."""
        check = CHECKS[stream]
        if check.windows is None:
            return False
        length_s, slide_s = check.windows(self._times)
        ends_ms = happened_ms // (slide_s * 1000) * slide_s * 1000 + length_s * 1000
        return ends_ms <= now_ms - check.out_of_order_s(self._times) * 1000

    def put(self, letters: Sequence[DeadLetter]) -> None:
        """Put the records, with the keys of their producers.

        Raises:
            RedriveError: A stream refuses them.
            StreamMissingError: A stream is not there.
        """
        for stream in dict.fromkeys(letter.source for letter in letters):
            records = [
                (partition_key(stream, letter.raw), letter.raw.encode())
                for letter in letters
                if letter.source == stream
            ]
            self._put(stream, records)

    def _put(self, stream: str, records: Sequence[tuple[str, bytes]]) -> None:
        if stream not in self._known:
            kinesis.find_arns(self._client, [stream], self._streams)
            self._known.add(stream)
        self._wait(len(records))
        try:
            kinesis.put_all(self._client, stream, records)
        except (RuntimeError, BotoCoreError, ClientError) as error:
            raise RedriveError(f"stream {stream!r}: {error}; then run again") from error

    def _wait(self, records: int) -> None:
        """Leave room to the live producers, who share the stream's shards."""
        now_s = time.monotonic()
        time.sleep(max(0.0, self._free_at_s - now_s))
        self._free_at_s = max(self._free_at_s, now_s) + records / self._rate_per_s


def partition_key(stream: str, raw: str) -> str:
    """Return the key that the producer gave, or one made from the text where none can be read."""
    key = _field(raw, KEY_FIELDS[stream])
    if isinstance(key, str) and 0 < len(key) <= 256:
        return key
    return f"redriven/{zlib.crc32(raw.encode()):08x}"


def event_ms(raw: str) -> int | None:
    """Return an event's own time, epoch milliseconds, if it can be read."""
    ts = _field(raw, "ts")
    return ts if isinstance(ts, int) and not isinstance(ts, bool) else None


def _field(raw: str, name: str) -> object:
    try:
        event = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return None
    return event.get(name) if isinstance(event, dict) else None
