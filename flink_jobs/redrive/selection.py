"""Which dead letters are asked for."""

import msgspec

from flink_jobs.dead_letters import Code, DeadLetter


class Selection(msgspec.Struct, frozen=True):
    """A filter; what is empty or None lets every letter pass.

    Attributes:
        sources: Streams.
        codes: Reasons.
        job: The job that refused the record.
        since_ms: Refused then or later, epoch milliseconds.
        until_ms: Refused before, epoch milliseconds.
    """

    sources: tuple[str, ...] = ()
    codes: tuple[Code, ...] = ()
    job: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None

    def takes(self, letter: DeadLetter) -> bool:
        """Return whether the letter is asked for."""
        return (
            (not self.sources or letter.source in self.sources)
            and (not self.codes or letter.code in self.codes)
            and (self.job is None or letter.job == self.job)
            and (self.since_ms is None or letter.ts >= self.since_ms)
            and (self.until_ms is None or letter.ts < self.until_ms)
        )
