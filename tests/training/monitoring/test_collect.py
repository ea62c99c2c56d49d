"""From the decision log to Parquet, with every bit kept."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from botocore.exceptions import ClientError

from feature_repo.model_matrix import MODEL_FEATURES
from scoring.gateway import messages
from scoring.gateway.decision_log.logged_decision import (
    ExcludedColumns,
    LoggedDecision,
    RankedColumns,
)
from tests.flink_jobs.emulator import Emulator
from tests.training.monitoring import served_day
from tests.training.monitoring.served_day import DAY, Archive
from training.monitoring import collect, decision_record, decisions
from training.monitoring.collect import Collected
from training.monitoring.decision_record import RecordError

ODD = [float(np.float32(0.1)), float(np.nextafter(np.float32(1), np.float32(2))), 1e-45, -0.0,
       float(np.finfo(np.float32).max), 123456789.0]  # fmt: skip


class FakeKinesis:
    """Shards in memory, two records a page; refuses the first read of each."""

    def __init__(self, shards: dict[str, list[tuple[datetime, bytes]]]) -> None:
        self._shards = shards
        self._refused: set[str] = set()

    def list_shards(self, **asked: str) -> dict[str, Any]:
        """Give one shard a page."""
        names = sorted(self._shards)
        position = int(asked.get("NextToken", 0))
        more = {"NextToken": str(position + 1)} if position + 1 < len(names) else {}
        return {"Shards": [{"ShardId": names[position]}], **more}

    def get_shard_iterator(self, **asked: Any) -> dict[str, str]:
        """Tokens are a shard and a position."""
        records = self._shards[asked["ShardId"]]
        start = {
            "TRIM_HORIZON": lambda: 0,
            "AT_TIMESTAMP": lambda: sum(at < asked["Timestamp"] for at, _ in records),
            "AFTER_SEQUENCE_NUMBER": lambda: int(asked["StartingSequenceNumber"]) + 1,
        }[asked["ShardIteratorType"]]()
        return {"ShardIterator": f"{asked['ShardId']}:{start}"}

    def get_records(self, *, ShardIterator: str) -> dict[str, Any]:  # noqa: N803 - Kinesis' name
        """Give a page, once the shard has refused."""
        shard, position = ShardIterator.split(":")
        if shard not in self._refused:
            self._refused.add(shard)
            error = {"Error": {"Code": "ProvisionedThroughputExceededException"}}
            raise ClientError(error, "GetRecords")  # type: ignore[arg-type]
        start = int(position)
        page = list(enumerate(self._shards[shard]))[start : start + 2]
        left = len(self._shards[shard]) - start - len(page)
        return {
            "Records": [
                {"SequenceNumber": str(n), "ApproximateArrivalTimestamp": at, "Data": data}
                for n, (at, data) in page
            ],
            "MillisBehindLatest": 1000 * left,
            "NextShardIterator": f"{shard}:{start + len(page)}",
        }


@pytest.fixture(scope="module")
def records(archive: Archive) -> list[bytes]:
    """Seven decisions as the gateway writes them, the first with values hard to keep."""
    ids = archive.rows["event_id"].unique()[:7]
    rows = archive.rows[archive.rows["event_id"].isin(ids)]
    shown = rows[rows["rank"] <= served_day.SHOWN].reset_index(drop=True)
    shown[list(MODEL_FEATURES)] = shown[list(MODEL_FEATURES)].astype(np.float64)
    shown.loc[0, list(MODEL_FEATURES[: len(ODD)])] = ODD
    return served_day.encode(rows, shown)


def test_values_survive_bit_for_bit(records: list[bytes], tmp_path: Path) -> None:
    """Every feature, score and time in Parquet is the one in the log, to the last bit."""
    _collect(records, tmp_path)
    found = decisions.read(tmp_path, DAY, 100).candidates.set_index(["event_id", "provider_id"])
    logged = [msgspec.json.decode(data, type=LoggedDecision) for data in records]
    assert len(found) == sum(len(decision.ranked.provider_id) for decision in logged)
    for decision in logged:
        moment = datetime.fromisoformat(decision.answer.decided_at)
        ranked = zip(decision.ranked.provider_id, decision.ranked.score, strict=True)
        for rank, (provider_id, score) in enumerate(ranked, start=1):
            row = found.loc[(decision.request.event_id, provider_id)]
            assert row["request_ts"].to_pydatetime() == moment
            assert (row["rank"], row["score"]) == (rank, score)
            served = decision.features.get(provider_id)
            assert row["shown"] == (served is not None)
            expected = np.array(served or [None] * len(MODEL_FEATURES), dtype=np.float64)
            kept = row[list(MODEL_FEATURES)].to_numpy(dtype=np.float64)
            np.testing.assert_array_equal(np.isnan(kept), np.isnan(expected))
            known = ~np.isnan(expected)
            assert kept[known].tobytes() == expected[known].tobytes()


def test_every_shard_is_read_and_a_second_run_adds_nothing(
    records: list[bytes], tmp_path: Path
) -> None:
    """Pages, throttling and shards lose nothing; collecting again counts nothing twice."""
    for _ in range(2):
        done = _collect(records, tmp_path)
        assert done.decisions == len(records)
        assert done.unreadable == 0
    assert decisions.read(tmp_path, DAY, 100).count == len(records)


def test_since_leaves_out_what_came_before(records: list[bytes], tmp_path: Path) -> None:
    """Only what arrived from the given time on is written."""
    assert _collect(records, tmp_path, since_s=3.5).decisions == len(records) - 4


def test_files_are_closed_as_decisions_come(
    records: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory holds a file's decisions and no more."""
    monkeypatch.setattr(collect, "DECISIONS_A_FILE", 3)
    _collect(records, tmp_path)
    assert len(list(decisions.folder(tmp_path, DAY).glob("*.parquet"))) == 3
    assert decisions.read(tmp_path, DAY, 100).count == len(records)


def test_a_record_of_another_kind_is_told(records: list[bytes], tmp_path: Path) -> None:
    """A record that is no decision, or has other features, is counted, and the rest is written."""
    other = json.loads(records[0])
    other["answer"]["versions"]["features"] = "of another list"
    short = json.loads(records[0])
    short["ranked"]["score"].pop()
    strange = [b"{}", *(json.dumps(record).encode() for record in (other, short))]
    done = _collect([*strange, *records], tmp_path)
    assert (done.unreadable, done.decisions) == (3, len(records))
    with pytest.raises(RecordError, match="read it with the code that served it"):
        decision_record.decode(json.dumps(other).encode())


def test_the_later_decision_of_an_event_counts(records: list[bytes], tmp_path: Path) -> None:
    """An event that was decided again is known by its second answer."""
    again = json.loads(records[0])
    later = datetime.fromisoformat(again["answer"]["decided_at"]) + timedelta(seconds=9)
    again["answer"]["decided_at"] = later.isoformat()
    _collect([json.dumps(again).encode(), *records], tmp_path)
    found = decisions.read(tmp_path, DAY, 100)
    assert found.count == len(records)
    event = again["request"]["event_id"]
    times = found.candidates.loc[found.candidates["event_id"] == event, "request_ts"]
    assert {t.to_pydatetime() for t in times} == {later}


def test_a_sample_is_the_same_each_time(records: list[bytes], tmp_path: Path) -> None:
    """Fewer decisions than there are: whole ones, always the same, and the total is known."""
    _collect(records, tmp_path)
    first, second = (decisions.read(tmp_path, DAY, 3) for _ in range(2))
    assert (first.count, first.total) == (3, len(records))
    assert first.candidates.equals(second.candidates)


def test_the_log_has_what_is_read() -> None:
    """Each field that is read from a record is one of the gateway's own, at the same place."""
    pairs = [
        (decision_record.DecisionRecord, LoggedDecision),
        (decision_record.Request, messages.RecommendationRequest),
        (decision_record.Answer, messages.RecommendationAnswer),
        (decision_record.Ranked, RankedColumns),
        (decision_record.Excluded, ExcludedColumns),
        (decision_record.Versions, messages.Versions),
        (decision_record.Location, messages.Location),
    ]
    for ours, theirs in pairs:
        assert set(ours.__struct_fields__) <= set(theirs.__struct_fields__)


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    """A Kinesis emulator for this test."""
    directory = tmp_path / "emulator"
    directory.mkdir()
    started = Emulator(directory)
    started.start()
    yield started
    started.stop()


@pytest.mark.integration
def test_collecting_from_an_emulator(
    emulator: Emulator,
    records: list[bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The command reads a real stream of several shards, without credentials, and says so."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    emulator.create("decisions", shards=2)
    emulator.put("decisions", [data.decode() for data in records])
    out = tmp_path / "decisions"
    assert collect.main(["--out", str(out), "--endpoint-url", emulator.url]) == 0
    assert f"{len(records)} decisions" in capsys.readouterr().out
    assert decisions.read(out, DAY, 100).count == len(records)


def _collect(records: list[bytes], directory: Path, since_s: float | None = None) -> Collected:
    """Collect records that arrived a second apart, an hour ago, on two shards."""
    start = datetime.now(UTC) - timedelta(hours=1)
    arrived = [(start + timedelta(seconds=n), data) for n, data in enumerate(records)]
    client = FakeKinesis({"shard-0": arrived[::2], "shard-1": arrived[1::2]})
    since = None if since_s is None else start + timedelta(seconds=since_s)
    *_, done = collect.collect(client, "decisions", directory, since)
    return done
