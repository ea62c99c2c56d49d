"""The command's options."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flink_jobs.dead_letters import CODES
from flink_jobs.redrive.selection import Selection
from flink_jobs.redrive.targets import KEY_FIELDS
from flink_jobs.settings import PROPERTIES_VARIABLE

DEFAULT_RATE_PER_S = 500.0
EPILOG = """\
Without --to the letters are listed and nothing is changed. Each run reads the letters that had
arrived when it started, so one that comes back is not driven again by the same run.

exit code: 0 done; 1 error; 2 wrong option; 3 done, but some letters were left, as the last lines
say; 130 stopped by Ctrl-C (run again to go on)
"""


@dataclass(frozen=True)
class Options:
    """What was asked for.

    Attributes:
        properties: The live job's settings file.
        selection: Which letters.
        to_stream: Whether they go back on their streams.
        archive: The directory that they go to; with neither target they are listed.
        state: Where positions are kept.
        rate_per_s: Records a second, to streams.
        force: Put also what would only come back.
        dry_run: Change nothing.
    """

    properties: Path | None
    selection: Selection
    to_stream: bool
    archive: Path | None
    state: Path | None
    rate_per_s: float
    force: bool
    dry_run: bool


def parse(arguments: Sequence[str] | None) -> Options:
    """Return the options; leave the process with a message if they cannot be used."""
    parser = _parser()
    given = parser.parse_args(arguments)
    match given.to:
        case []:
            archive = None
        case ["stream"]:
            archive = None
        case ["archive", directory]:
            archive = Path(directory)
        case other:
            parser.error(f"--to {' '.join(other)}: give 'stream', or 'archive' and its directory")
    to_stream = given.to == ["stream"]
    if given.to and not given.dry_run and given.state is None:
        parser.error("--to needs --state FILE, which keeps a second run from driving letters twice")
    if not given.to and (given.state or given.dry_run):
        parser.error("--state and --dry-run go with --to; without it nothing is changed")
    if not to_stream and (given.force or given.rate is not None):
        parser.error("--force and --rate go with --to stream")
    selection = Selection(
        sources=tuple(sorted(set(given.source))),
        codes=tuple(sorted(set(given.code))),
        job=given.job,
        since_ms=given.since,
        until_ms=given.until,
    )
    if given.since is not None and given.until is not None and given.since >= given.until:
        parser.error("--since is not before --until: no letter can be both")
    return Options(
        properties=given.properties,
        selection=selection,
        to_stream=to_stream,
        archive=archive,
        state=given.state,
        rate_per_s=given.rate or DEFAULT_RATE_PER_S,
        force=given.force,
        dry_run=given.dry_run,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m flink_jobs.redrive",
        description="List dead letters, or put them back after what refused them was mended.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--properties",
        type=Path,
        metavar="FILE",
        help=f"the live job's settings (default: {PROPERTIES_VARIABLE}, or the service's own)",
    )
    _add_filters(parser.add_argument_group("which letters (default: all)"))
    _add_targets(parser.add_argument_group("where to (default: only list them)"))
    return parser


def _add_filters(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--source",
        action="append",
        default=[],
        choices=KEY_FIELDS,
        metavar="STREAM",
        help=f"repeatable; one of {', '.join(KEY_FIELDS)}",
    )
    group.add_argument(
        "--code",
        action="append",
        default=[],
        choices=CODES,
        metavar="CODE",
        help=f"repeatable; one of {', '.join(CODES)}",
    )
    group.add_argument("--job", help="name of the job that refused them")
    moment = "ISO 8601, UTC unless it has an offset"
    group.add_argument(
        "--since", type=_epoch_ms, metavar="TIME", help=f"refused then or later; {moment}"
    )
    group.add_argument("--until", type=_epoch_ms, metavar="TIME", help="refused before")


def _add_targets(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--to",
        nargs="+",
        default=[],
        metavar=("WHERE", "DIR"),
        help="'stream': back on their streams, for the live job; or 'archive DIR': into "
        "DIR/<stream>/ with their first arrival, for a backfill",
    )
    group.add_argument(
        "--state", type=Path, metavar="FILE", help="positions: made, then updated at every step"
    )
    group.add_argument(
        "--rate",
        type=_positive,
        metavar="N",
        help=f"to streams, records a second (default: {DEFAULT_RATE_PER_S:g})",
    )
    group.add_argument(
        "--force", action="store_true", help="put also what the live job would only send back"
    )
    group.add_argument(
        "--dry-run", action="store_true", help="say what would be driven, change nothing"
    )


def _epoch_ms(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no ISO 8601 time; give one such as 2026-01-31T08:00"
        ) from error
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1000)


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not above 0")
    return value
