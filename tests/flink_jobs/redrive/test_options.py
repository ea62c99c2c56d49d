"""The command's options."""

from pathlib import Path

import pytest

from flink_jobs.redrive.options import parse
from flink_jobs.redrive.selection import Selection


def test_filters_and_targets_are_read() -> None:
    """Filters may be repeated, in any order; times are UTC unless they say otherwise."""
    filters = ["--code", "late", "--code", "duplicate", "--code", "late", "--source", "weather"]
    times = ["--since", "2026-01-01T00:00", "--until", "2026-01-01T02:00+01:00"]

    options = parse([*filters, *times, "--to", "archive", "a", "--state", "s"])

    assert options.selection == Selection(
        sources=("weather",),
        codes=("duplicate", "late"),
        since_ms=1_767_225_600_000,
        until_ms=1_767_229_200_000,
    )
    assert (options.to_stream, options.archive, options.state) == (False, Path("a"), Path("s"))


def test_without_a_target_letters_are_listed() -> None:
    """The default changes nothing and needs no state file."""
    options = parse([])

    assert (options.to_stream, options.archive, options.state) == (False, None, None)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--to archive", "--to archive: give 'stream', or 'archive' and its directory"),
        ("--to stream x", "--to stream x: give"),
        ("--to redis", "--to redis: give"),
        ("--to stream", "--to needs --state FILE"),
        ("--state s", "--state and --dry-run go with --to"),
        ("--dry-run", "--state and --dry-run go with --to"),
        ("--force", "--force and --rate go with --to stream"),
        ("--to archive a --state s --rate 5", "--force and --rate go with --to stream"),
        ("--to stream --state s --rate 0", "argument --rate: '0' is not above 0"),
        ("--code odd", "argument --code: invalid choice: 'odd'"),
        ("--source decisions", "argument --source: invalid choice: 'decisions'"),
        ("--since today", "argument --since: 'today' is no ISO 8601 time"),
        ("--since 2026-01-02 --until 2026-01-02", "--since is not before --until"),
    ],
)
def test_options_that_do_not_fit_are_told(
    arguments: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong option ends the command at once with exit code 2 and names what would do."""
    with pytest.raises(SystemExit) as error:
        parse(arguments.split())

    assert error.value.code == 2
    assert words in capsys.readouterr().err
