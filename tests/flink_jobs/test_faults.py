"""What breaks in production, done to the real job: nothing is lost, and no older row wins."""

import time
from collections.abc import Iterator
from functools import partial

import pytest

from tests.flink_jobs import accounts
from tests.flink_jobs.events import encode, gps, state
from tests.flink_jobs.fault import RECOVERED_S, Faults, now_ms
from tests.flink_jobs.feed import Feed, feeding
from tests.flink_jobs.live import Live, wait_until
from tests.flink_jobs.odd_events import BROKEN, ODD, of_devices
from tests.flink_jobs.recoveries import Recoveries
from tests.flink_jobs.watch import watching

pytestmark = [pytest.mark.flink, pytest.mark.integration]

REDIS_AWAY_S = 60.0
REDIS_SILENT_S = 12.0  # longer than the writer waits for an answer
THROTTLED_S = 20.0
UNREAD_S = 3.0
CLOCK_AHEAD_S = 5.0
INPUTS = ("dispatch-events", "provider-availability", "provider-gps")
HOUR_S, ALLOWED_AHEAD_S = 3600, 20


@pytest.fixture(scope="module")
def feed(live: Live) -> Iterator[Feed]:
    """Events of every kind, all the time."""
    with feeding(live.emulator) as running:
        yield running


@pytest.fixture(scope="module")
def faults(live: Live, feed: Feed) -> Iterator[Faults]:
    """What is done to the job, whose rows somebody looks at all the time."""
    with watching(live.redis, "provider_availability", "provider_motion") as watches:
        yield Faults(live, feed, watches)


def test_a_kill_inside_a_checkpoint_loses_doubles_and_ages_nothing(
    live: Live, faults: Faults, measured: Recoveries
) -> None:
    """A task manager dies, a checkpoint half done; a row that is newer stays when it is back."""
    fault = faults.new("task manager killed in a checkpoint")
    accounts.checkpointed(live)
    fault.begins()
    live.cluster.freeze_workers()
    half_done = partial(live.cluster.half_done_checkpoint, live.job_id)
    caught = wait_until(half_done, RECOVERED_S, "a checkpoint")
    live.emulator.put("provider-availability", [state("overtaken", now_ms())])
    live.cluster.kill("taskmanager")
    fault.ends()
    newer = live.store_newer("provider_availability", "overtaken", like="first0")
    live.cluster.start()

    assert len(fault.recover(measured)) == 1
    assert live.cluster.checkpoint_status(live.job_id, caught) == "FAILED"
    fault.check()
    wait_until(partial(accounts.is_kept, live, "overtaken"), RECOVERED_S, "the overtaken row")
    assert live.stored("provider_availability", "overtaken") == newer


def test_a_redis_that_is_gone_for_a_minute_is_waited_for(
    live: Live, faults: Faults, measured: Recoveries
) -> None:
    """The job holds its rows until Redis is back with its data, and does not restart."""
    fault = faults.new("Redis killed, back with its file")
    live.redis.kill()
    time.sleep(REDIS_AWAY_S)
    live.redis.start()
    fault.ends()

    assert fault.recover(measured) == []
    assert live.metric("redis_retries") > 0
    fault.check()


def test_a_redis_that_answers_nothing_is_waited_for(
    live: Live, faults: Faults, measured: Recoveries
) -> None:
    """A write without an answer is written again, though Redis may have had it."""
    fault = faults.new("Redis silent, its connections open")
    live.redis.freeze()
    time.sleep(REDIS_SILENT_S)
    live.redis.thaw()
    fault.ends()

    assert fault.recover(measured) == []
    fault.check()


@pytest.mark.parametrize("how", ["split", "merge"])
def test_shards_that_split_and_merge_lose_and_double_nothing(
    live: Live, faults: Faults, measured: Recoveries, how: str
) -> None:
    """Shards close with records that nobody has read yet, and others follow them."""
    fault = faults.new(f"shards: {how}")
    reshard = {"split": live.emulator.split, "merge": live.emulator.merge}[how]
    for stream in INPUTS:
        live.emulator.throttle(stream, ["GetRecords"], UNREAD_S)
    time.sleep(UNREAD_S / 2)
    for stream in INPUTS:
        reshard(stream)
    fault.ends()

    assert fault.recover(measured) == []
    faults.unordered.append(range(fault.began_ms, now_ms()))
    fault.check()


def test_input_streams_that_are_throttled_are_read_later(
    live: Live, faults: Faults, measured: Recoveries
) -> None:
    """Refused reads are tried again until they are allowed, and the job does not restart."""
    before = live.metric("reads_refused")
    fault = faults.new("reads of the inputs throttled")
    for stream in INPUTS:
        live.emulator.throttle(stream, ["GetRecords", "ListShards"], THROTTLED_S)
    time.sleep(THROTTLED_S)
    fault.ends()

    assert fault.recover(measured) == []
    assert live.metric("reads_refused") > before
    # A shard that is refused for longer than idle_after_s holds no window open for its fixes.
    faults.unordered.append(range(fault.began_ms, now_ms()))
    fault.check()


def test_dead_letters_that_are_throttled_are_put_later(
    live: Live, faults: Faults, measured: Recoveries
) -> None:
    """Bad records come while their stream refuses half of what is put; each is there once."""
    fault = faults.new("writes of dead letters throttled")
    live.emulator.throttle("dead-letter", ["PutRecords"], THROTTLED_S)
    bad = []
    while now_ms() < fault.began_ms + THROTTLED_S * 1000:
        batch = [gps(f"north-{i}", now_ms() + i, lat=95.0) for i in range(20)]
        live.emulator.put("provider-gps", batch)
        bad += [encode(event) for event in batch]
        time.sleep(0.5)
    fault.ends()

    assert fault.recover(measured) == []
    letters = wait_until(lambda: live.letters(set(bad)), RECOVERED_S, "dead letters")
    assert {raw: len(found) for raw, found in letters.items()} == dict.fromkeys(bad, 1)
    fault.check()


@pytest.mark.parametrize("ahead_s", [HOUR_S, ALLOWED_AHEAD_S])
def test_a_device_whose_clock_is_ahead_makes_nobody_late(
    live: Live, feed: Feed, faults: Faults, measured: Recoveries, ahead_s: int
) -> None:
    """Its events are refused or wait for their time; everybody else's count at theirs."""
    fault = faults.new(f"clocks {ahead_s} s ahead")
    sent = []
    while now_ms() < fault.began_ms + CLOCK_AHEAD_S * 1000:
        for stream, events in of_devices(f"ahead-{ahead_s}", now_ms() + 1000 * ahead_s).items():
            live.emulator.put(stream, events)
            sent += [encode(event) for event in events]
        time.sleep(0.5)
    fault.ends()

    assert fault.recover(measured) == []
    if ahead_s == HOUR_S:
        letters = wait_until(lambda: live.letters(set(sent)), RECOVERED_S, "dead letters")
        assert {letter.code for found in letters.values() for letter in found} == {"in_future"}
    fault.check()
    assert accounts.late_offers(live, feed, fault.name) == 0


def test_no_event_however_odd_stops_the_job(
    live: Live, faults: Faults, measured: Recoveries
) -> None:
    """Odd ids and values become rows, broken records dead letters, and the job goes on."""
    fault = faults.new("odd and broken events")
    for number, event in enumerate(ODD):
        stream = "provider-gps" if "lat" in event else "provider-availability"
        live.emulator.put(stream, [encode({**event, "ts": now_ms() + number})])
    for record in BROKEN:
        live.emulator.client.put_record(StreamName="provider-gps", Data=record, PartitionKey="x")
    fault.ends()

    assert fault.recover(measured) == []
    broken = {record.decode(errors="replace") for record in BROKEN}
    wait_until(partial(live.letters, broken), RECOVERED_S, "dead letters")
    for event in ODD:
        view = "provider_motion" if "lat" in event else "provider_availability"
        name = event["provider_id"].encode("utf-8", "replace").decode()
        wait_until(partial(live.row, view, name), RECOVERED_S, f"{view} of {name!r}")
    fault.check()


def test_all_that_time_every_fix_counted_in_every_window_of_its(
    live: Live, feed: Feed, faults: Faults
) -> None:
    """Offline is each window once, whole where fixes came in time; no good fix was refused."""
    accounts.check_fixes(live, feed, faults.began_ms, faults.unordered)
