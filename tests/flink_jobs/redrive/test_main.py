"""The command against a real emulator: list, drive to streams and to an archive, twice."""

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import boto3
import pytest

from flink_jobs.dead_letters import DeadLetter, pack, partition_key
from flink_jobs.event_schemas import DEAD_LETTER, PROVIDER_GPS, WEATHER
from flink_jobs.kinesis import put_all
from flink_jobs.redrive.__main__ import INCOMPLETE, main
from flink_jobs.redrive.state import State
from tests.flink_jobs.emulator import Emulator
from tests.flink_jobs.events import gps, weather
from tests.flink_jobs.letters import letter

pytestmark = pytest.mark.integration

REGION = "eu-west-1"
"""The emulator keeps regions apart, and other tests use another one."""
SHARDS = {DEAD_LETTER: 2, PROVIDER_GPS: 2, WEATHER: 1}
HOUR_MS = 3_600_000


class Place:
    """The streams, the settings of a job that reads them, and what was run."""

    def __init__(self, client: Any, directory: Path, url: str) -> None:
        self.client = client
        self.directory = directory
        self._properties = directory / "properties.json"
        streams = {"endpoint_url": url, "region": REGION, "access_key": "t", "secret_key": "t"}
        groups = {"streams": streams, "feature_store": {"redis_url": "redis://127.0.0.1:1/0"}}
        entries = [{"PropertyGroupId": g, "PropertyMap": p} for g, p in groups.items()]
        self._properties.write_text(json.dumps(entries))

    def redrive(self, *arguments: str) -> int:
        """Run the command; return its exit code."""
        return main(["--properties", str(self._properties), *arguments])

    def refuse(self, letters: Sequence[DeadLetter], each: int = 8) -> None:
        """Put letters on the dead-letter stream, so many a record, as a job does."""
        for start in range(0, len(letters), each):
            for data in pack(letters[start : start + each]):
                source = letters[start].source
                put_all(self.client, DEAD_LETTER, [(partition_key(source, data), data)])

    def records(self, stream: str) -> list[tuple[str, str]]:
        """Return keys and texts of all records of a stream."""
        found: list[tuple[str, str]] = []
        for shard in self.client.list_shards(StreamName=stream)["Shards"]:
            iterator = self.client.get_shard_iterator(
                StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            records = self.client.get_records(ShardIterator=iterator)["Records"]
            found += [(record["PartitionKey"], record["Data"].decode()) for record in records]
        return sorted(found)

    def archived(self, archive: Path, stream: str) -> list[tuple[int, str]]:
        """Return arrivals and texts of all archived records of a stream."""
        lines = [
            json.loads(line)
            for path in (archive / stream).glob("*.json")
            for line in path.read_text().splitlines()
        ]
        return sorted((line["received_ts"], line["record_text"]) for line in lines)


@pytest.fixture
def place(emulator: Emulator, tmp_path: Path) -> Iterator[Place]:
    """New streams, empty."""
    client: Any = boto3.client(
        "kinesis",
        endpoint_url=emulator.url,
        region_name=REGION,
        aws_access_key_id="t",
        aws_secret_access_key="t",
    )
    for stream, shards in SHARDS.items():
        client.create_stream(StreamName=stream, ShardCount=shards)
    yield Place(client, tmp_path, emulator.url)
    for stream in SHARDS:
        client.delete_stream(StreamName=stream)
    client.close()


def _letters(count: int, age_ms: int = 0) -> list[DeadLetter]:
    now_ms = time.time_ns() // 1_000_000 - age_ms
    fixes = [gps(f"p{i}-{age_ms}", now_ms + i) for i in range(count)]
    return [letter(fix, received_ts=fix["ts"] + 1, ts=fix["ts"] + 2) for fix in fixes]


def _keyed(letters: Sequence[DeadLetter]) -> list[tuple[str, str]]:
    return sorted((json.loads(one.raw)["provider_id"], one.raw) for one in letters)


def test_letters_are_listed_and_nothing_is_changed(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """The default is a table of all shards' letters, and the streams stay as they were."""
    place.refuse(_letters(40))
    place.refuse([letter("{broken", source=WEATHER, code="not_json")])

    assert place.redrive() == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:4] == [PROVIDER_GPS, "out_of_range", "roadside-features", "40"]
    assert lines[4].split()[:4] == [WEATHER, "not_json", "roadside-features", "1"]
    assert place.records(PROVIDER_GPS) == []


def test_each_letter_is_driven_to_its_stream_once(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """Over two runs, throttled meanwhile, what can go goes once; what is too old is told."""
    fresh, old = _letters(40), _letters(3, HOUR_MS)
    now_ms = time.time_ns() // 1_000_000
    rain = letter(weather(now_ms), source=WEATHER, received_ts=now_ms)
    place.refuse([*fresh, *old, letter(gps("other", now_ms), code="unknown_value"), rain])
    command = ["--code", "out_of_range", "--to", "stream", "--state", f"{place.directory}/state"]

    assert place.redrive(*command[:-2], "--dry-run") == INCOMPLETE
    assert place.records(PROVIDER_GPS) == []
    until = str(time.time() + 0.5)
    for stream, operation in ((DEAD_LETTER, "GetRecords"), (PROVIDER_GPS, "PutRecords")):
        place.client.add_tags_to_stream(StreamName=stream, Tags={f"throttle:{operation}": until})
    assert place.redrive(*command) == INCOMPLETE
    said = capsys.readouterr().out
    assert place.redrive(*command) == 0

    assert "drove 40 of provider-gps" in said
    assert "left 3: too old by now for the live job" in said
    assert "read 0 dead letters\ndrove none" in capsys.readouterr().out
    assert place.records(PROVIDER_GPS) == _keyed(fresh)
    assert [text for _, text in place.records(WEATHER)] == [rain.raw]


def test_a_letter_that_comes_back_waits_for_the_next_run(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is refused again while a run goes on is not driven by it, and is by the next one."""
    letters = _letters(16)
    command = ["--to", "stream", "--state", f"{place.directory}/state"]
    real = place.client
    put: list[str] = []

    class Refusing:
        """A client whose records come back as dead letters at once, on any shard."""

        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

        def close(self) -> None:
            """The test's own client is used on."""

        def put_records(self, **call: Any) -> Any:
            texts = [record["Data"].decode() for record in call["Records"]]
            put.extend(texts)
            place.refuse([letter(text) for text in texts], each=1)
            return real.put_records(**call)

    place.refuse(letters, each=1)
    monkeypatch.setattr("flink_jobs.kinesis.connect", lambda _: Refusing())
    texts = sorted(one.raw for one in letters)
    for _ in range(2):
        assert place.redrive(*command) == 0
        assert sorted(put) == texts
        put.clear()


def test_each_letter_is_archived_once_even_after_a_crash(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that dies between writing and its position, and three more, archive each once."""
    letters = [*_letters(40), *_letters(3, HOUR_MS)]
    place.refuse(letters)
    archive = place.directory / "archive"
    command = ["--to", "archive", str(archive), "--state", f"{place.directory}/state"]
    save = State.save

    def die(state: State, path: Path) -> None:
        if state.archived_bytes:
            raise OSError("no space left on device")
        save(state, path)

    monkeypatch.setattr(State, "save", die)
    assert place.redrive(*command) == 1
    assert place.archived(archive, PROVIDER_GPS)
    monkeypatch.setattr(State, "save", save)
    for _ in range(2):
        assert place.redrive(*command) == 0
    more = _letters(1, 2 * HOUR_MS)
    place.refuse(more)
    assert place.redrive(*command) == 0

    expected = sorted((one.received_ts, one.raw) for one in (*letters, *more))
    assert place.archived(archive, PROVIDER_GPS) == expected


def test_a_stream_that_is_not_there_ends_the_command(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 1, and the error has the command that creates the stream."""
    place.client.delete_stream(StreamName=DEAD_LETTER)

    assert place.redrive() == 1

    place.client.create_stream(StreamName=DEAD_LETTER, ShardCount=1)
    assert "create-stream --stream-name dead-letter" in capsys.readouterr().err


def test_the_settings_of_a_backfill_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A backfill has no dead-letter stream: the error names the key and which file to give."""
    path = tmp_path / "backfill.json"
    groups = {"streams": {"kind": "archive", "archive_dir": "a"}}
    groups["feature_store"] = {"offline_dir": "o"}
    entries = [{"PropertyGroupId": g, "PropertyMap": p} for g, p in groups.items()]
    path.write_text(json.dumps(entries))

    assert main(["--properties", str(path)]) == 1
    assert "'streams', key 'kind': 'archive' has no dead-letter" in capsys.readouterr().err
