"""The command: ``python -m flink_jobs.redrive``; ``--help`` says what it does."""

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

from flink_jobs import kinesis
from flink_jobs.event_schemas import DEAD_LETTER
from flink_jobs.redrive import options as command_line
from flink_jobs.redrive import progress, reader
from flink_jobs.redrive.archive_target import ArchiveTarget, archive_name
from flink_jobs.redrive.drive import drive, letters_of
from flink_jobs.redrive.errors import RedriveError
from flink_jobs.redrive.listing import Listing
from flink_jobs.redrive.options import Options
from flink_jobs.redrive.reader import Page, Span
from flink_jobs.redrive.selection import Selection
from flink_jobs.redrive.state import State, load, locked
from flink_jobs.redrive.stream_target import StreamTarget
from flink_jobs.redrive.tally import Tally
from flink_jobs.redrive.targets import Rehearsal, Target
from flink_jobs.settings import Settings, SettingsError
from flink_jobs.settings import load as load_settings

MARGIN_MS = 300_000
"""A letter is put soon after it is refused; the clocks of job and stream may differ."""

INCOMPLETE, INTERRUPTED = 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = command_line.parse(arguments)
    try:
        settings = _settings(options)
        client: Any = kinesis.connect(settings.streams)
        with closing(client):
            return _run(options, settings, client)
    except KeyboardInterrupt:
        sys.stderr.write("stopped; run the same command again to go on\n")
        return INTERRUPTED
    except (
        SettingsError,
        RedriveError,
        OSError,
        kinesis.StreamMissingError,
        kinesis.StreamUnreachableError,
    ) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1


def _run(options: Options, settings: Settings, client: Any) -> int:
    origin = kinesis.find_arns(client, [DEAD_LETTER], settings.streams)[DEAD_LETTER]
    if options.to_stream or options.archive:
        return _redrive(options, settings, client, origin)
    return _list(options, client)


def _settings(options: Options) -> Settings:
    settings = load_settings(options.properties)
    if settings.streams.kind != "kinesis":
        raise SettingsError(
            f"group 'streams', key 'kind': {settings.streams.kind!r} has no dead-letter stream; "
            "name the live job's settings with --properties"
        )
    return settings


def _list(options: Options, client: Any) -> int:
    listing, tally = Listing(), Tally()
    pages = reader.read(client, DEAD_LETTER, _span(options.selection), {})
    progress.show(_listed(pages, options.selection, listing, tally), tally)
    _say(listing.text(), *tally.unreadable_lines())
    return 0 if tally.is_complete else INCOMPLETE


def _listed(
    pages: Iterable[Page], selection: Selection, listing: Listing, tally: Tally
) -> Iterator[Page]:
    for page in pages:
        for record in page.records:
            for letter in filter(selection.takes, letters_of(page, record, tally)):
                listing.add(letter)
        yield page


def _redrive(options: Options, settings: Settings, client: Any, origin: str) -> int:
    path = None if options.dry_run else options.state
    with locked(path) if path else nullcontext():
        name = archive_name(options.archive) if options.archive else StreamTarget.name
        state = State(origin, name, options.selection)
        if options.state is not None:
            state = load(options.state, state)
        if path is not None:
            state.save(path)  # before anything is written under its run_id
        target = _target(options, settings, client, state)
        tally = Tally()
        _drive(client, state, target, tally, path)
    _say(tally.text("would drive" if options.dry_run else "drove"))
    if path is not None:
        _say(f"positions are in {path}; the same command goes on from there")
    return 0 if tally.is_complete else INCOMPLETE


def _target(options: Options, settings: Settings, client: Any, state: State) -> Target:
    target: Target
    if options.archive is None:
        target = StreamTarget(
            client, settings, options.rate_per_s, force=options.force, now_ms=_now_ms
        )
    else:
        target = ArchiveTarget(options.archive, state)
        if not options.dry_run:
            target.prepare()
    return Rehearsal(target) if options.dry_run else target


def _drive(client: Any, state: State, target: Target, tally: Tally, path: Path | None) -> None:
    def done(shard: str, sequence_number: str) -> None:
        state.positions[shard] = sequence_number
        if path is not None:
            state.save(path)

    pages = reader.read(client, DEAD_LETTER, _span(state.selection), dict(state.positions))
    progress.show(drive(pages, state.selection, target, tally, done), tally)


def _span(selection: Selection) -> Span:
    """Return the arrivals to read: until now, so that what comes back is left to the next run."""
    from_ms = None if selection.since_ms is None else selection.since_ms - MARGIN_MS
    started_ms = _now_ms()
    if selection.until_ms is None:
        return Span(from_ms, started_ms)
    return Span(from_ms, min(started_ms, selection.until_ms + MARGIN_MS))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    sys.exit(main())
