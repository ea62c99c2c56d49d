"""One fault, from its beginning to the recovery: what it did to rows, and what is held of it."""

import time
from functools import partial

from tests.flink_jobs import accounts
from tests.flink_jobs.feed import Feed
from tests.flink_jobs.live import Live, wait_until
from tests.flink_jobs.recoveries import Recoveries, Recovery
from tests.flink_jobs.watch import Watch

RECOVERED_S = 120.0
WELL_BEFORE_S = 3.0
"""How long the feed makes its offers to the providers of a fault before it happens."""
MS_PER_S = 1000


class Fault:
    """What a test does to the job while the feed goes on and rows are watched.

    Args:
        live: The job.
        feed: Makes its offers to providers of this fault until the job has recovered.
        watches: Who looks at rows.
        name: Of the fault.
    """

    def __init__(self, live: Live, feed: Feed, watches: list[Watch], name: str) -> None:
        self._live = live
        self._feed = feed
        self._watches = watches
        self.name = name
        feed.begin(name)
        time.sleep(WELL_BEFORE_S)
        self.began_ms = self._ended_ms = now_ms()

    def begins(self) -> None:
        """Say that it happens now, and not when it was made."""
        self.began_ms = self._ended_ms = now_ms()

    def ends(self) -> None:
        """Say that what was done has been undone."""
        self._ended_ms = now_ms()

    def recover(self, measured: Recoveries) -> list[str]:
        """Wait until all rows have events of after the fault; return why the job restarted."""
        over = [
            wait_until(partial(watch.over_at_ms, self._ended_ms), RECOVERED_S, watch.view)
            for watch in self._watches
        ]
        restarts = self._live.cluster.failures(self._live.job_id, self.began_ms)
        for watch, over_ms in zip(self._watches, over, strict=True):
            measured.found.append(
                Recovery(
                    fault=self.name,
                    view=watch.view,
                    lasted_s=(self._ended_ms - self.began_ms) / MS_PER_S,
                    usual_age_s=watch.usual_age_ms(self.began_ms) / MS_PER_S,
                    worst_age_s=watch.worst_age_ms(self.began_ms) / MS_PER_S,
                    over_after_s=(over_ms - self._ended_ms) / MS_PER_S,
                    restarts=len(restarts),
                )
            )
        return restarts

    def check(self) -> None:
        """Hold what was written during the fault to what was put, and rows to their order."""
        self._feed.begin("nobody")
        accounts.check_offers(self._live, self._feed, self.name)
        for watch in self._watches:
            assert watch.went_back() == []


class Faults:
    """All that a module does to one job."""

    def __init__(self, live: Live, feed: Feed, watches: list[Watch]) -> None:
        started_ms = now_ms()
        for watch in watches:
            wait_until(partial(watch.over_at_ms, started_ms), RECOVERED_S, "first rows")
        self.began_ms = now_ms()
        self.unordered: list[range] = []
        """When events may have come later than is waited for, epoch ms."""
        self._make = (live, feed, watches)

    def new(self, name: str) -> Fault:
        """Return a fault that is about to happen."""
        return Fault(*self._make, name)


def now_ms() -> int:
    """Return the time, epoch milliseconds."""
    return time.time_ns() // 1_000_000
