"""Whether what the live job wrote is exactly what was put: nothing lost, nothing doubled."""

from collections import Counter
from collections.abc import Collection, Sequence

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from deploy.local import flink_rest
from flink_jobs.settings import EventTime
from tests.flink_jobs import oracles
from tests.flink_jobs.events import encode
from tests.flink_jobs.feed import MOVERS, Feed
from tests.flink_jobs.live import MOTION_SLIDE_S, Live, wait_for, wait_until

ALL_THERE_S = 120.0
TIMES = ["event_timestamp", "made_timestamp"]
KEY = ["provider_id", *TIMES]
MADE_AFTER_MS = round(EventTime().changes_out_of_order_s * 1000)
"""How long after its event a row of ``provider_availability`` is made that came in time."""


def checkpointed(live: Live) -> None:
    """Wait until another checkpoint is complete: what was written offline before it is shown."""

    def completed() -> int:
        return flink_rest.completed_checkpoints(live.cluster.flink, live.job_id)

    before = completed()
    wait_until(lambda: completed() > before, ALL_THERE_S, "a checkpoint")


def check_offers(live: Live, feed: Feed, name: str) -> None:
    """Hold what was written for a round that is over to what was put.

    Online each provider has as many offers as were put. Offline there is one row for each, which
    counts all offers up to its own: those that came too late for their time and so counted at the
    same later moment have rows that are equal.
    """
    put = {provider: len(times) for provider, times in feed.offers(name).items()}
    wait_for(lambda: _counts(live, put), put, ALL_THERE_S, f"offers of {name}")
    rows = _offer_rows(live, feed, name)
    assert Counter(rows["provider_id"]) == put
    counted = rows.groupby("provider_id")["made_timestamp"].rank(method="max")
    assert (rows["offers_1h"] == counted).all()


def is_kept(live: Live, provider: str) -> bool:
    """Return whether the offline store has a row of a provider's state."""
    return len(_rows(live, "provider_availability", [provider], [])) > 0


def late_offers(live: Live, feed: Feed, name: str) -> int:
    """Return how many offers of a round that is over counted later than at their own time."""
    rows = _offer_rows(live, feed, name)
    waited = rows["made_timestamp"] - rows["event_timestamp"]
    in_time = rows[waited == pd.Timedelta(milliseconds=MADE_AFTER_MS)]
    put = {(provider, ts) for provider, times in feed.offers(name).items() for ts in times}
    times = zip(in_time["provider_id"], _ms(in_time["event_timestamp"]), strict=True)
    return len(put - set(times))


def check_fixes(live: Live, feed: Feed, since_ms: int, spared: Sequence[range]) -> None:
    """Hold the windows of the feed's fixes to the fixes, offline: each once, of all its fixes.

    None of the fixes is a dead letter either.

    Args:
        live: The job.
        feed: What was put.
        since_ms: Windows that end later are compared, epoch ms.
        spared: Windows that end in these times are not.
    """
    closed_ms = _wait_for_windows(live, feed)
    fixes = {encode(fix) for fix in feed.fixes()}
    assert [letter for letter in live.emulator.letters() if letter.raw in fixes] == []

    def is_compared(made_ms: int) -> bool:
        end_ms = made_ms - oracles.LATE_MS
        return since_ms < end_ms < closed_ms and not any(end_ms in times for times in spared)

    wanted = Counter(
        (row["provider_id"], row["observed_ts"], row["made_ts"], row["ping_count"])
        for row in oracles.motion(feed.fixes(), MOTION_SLIDE_S)
        if is_compared(row["made_ts"])
    )
    rows = _rows(live, "provider_motion", MOVERS, ["ping_count"])
    times = [_ms(rows[name]) for name in TIMES]
    found = Counter(
        window
        for window in zip(rows["provider_id"], *times, rows["ping_count"], strict=True)
        if is_compared(window[2])
    )
    assert len(wanted) > len(MOVERS)
    assert (wanted - found, found - wanted) == ({}, {})


def _wait_for_windows(live: Live, feed: Feed) -> int:
    """Return the time of an event, when all windows that ended before it are written offline."""
    newest_ms: int = feed.fixes()[-1]["ts"]

    def later() -> bool:
        rows = [live.row("provider_motion", mover) for mover in MOVERS]
        return all(row and row["motion_observed_at"] > newest_ms * 1000 for row in rows)

    wait_until(later, ALL_THERE_S, "the next windows")
    checkpointed(live)
    return newest_ms


def _counts(live: Live, providers: dict[str, int]) -> dict[str, int]:
    rows = {provider: live.row("provider_availability", provider) for provider in providers}
    return {provider: row["offers_1h"] if row else 0 for provider, row in rows.items()}


def _offer_rows(live: Live, feed: Feed, name: str) -> pd.DataFrame:
    put = feed.offers(name)
    wanted = sum(map(len, put.values()))

    def rows() -> pd.DataFrame:
        return _rows(live, "provider_availability", put.keys(), ["offers_1h"])

    wait_until(lambda: len(rows()) >= wanted, ALL_THERE_S, f"offline rows of {name}")
    return rows()


def _rows(live: Live, view: str, providers: Collection[str], features: list[str]) -> pd.DataFrame:
    columns = [*KEY, *features]
    wanted = [("provider_id", "in", list(providers))]
    tables = [
        pq.read_table(path, columns=columns, filters=wanted, partitioning=None)
        for path in live.offline.glob(f"{view}/date=*/part-*.parquet")
    ]
    found = pa.concat_tables(tables) if tables else pa.table({name: [] for name in columns})
    rows: pd.DataFrame = found.to_pandas()
    return rows


def _ms(times: "pd.Series[pd.Timestamp]") -> list[int]:
    return [round(time.timestamp() * 1000) for time in times]
