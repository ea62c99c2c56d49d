"""Makes an API key: ``python -m scoring.gateway.make_key FILE NAME``."""

import argparse
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from scoring.gateway.api_keys import ApiKey, load_keys, new_key
from scoring.gateway.errors import ConfigurationError

USAGE_ERROR = 2
OWNER_ONLY = 0o600


def main(arguments: list[str] | None = None) -> int:
    """Add a key to a file and print it, or remove one; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        keys = load_keys(options.file) if options.file.exists() else []
        _check_name(options.name, keys, removing=options.remove)
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return USAGE_ERROR
    if options.remove:
        _write(options.file, [entry for entry in keys if entry.name != options.name])
        return 0
    expires = None if options.days is None else datetime.now(UTC) + timedelta(days=options.days)
    key, entry = new_key(options.name, expires)
    _write(options.file, [*keys, entry])
    sys.stdout.write(f"{key}\n")
    return 0


def _check_name(name: str, keys: list[ApiKey], *, removing: bool) -> None:
    names = [entry.name for entry in keys]
    if removing and name not in names:
        raise ConfigurationError(f"name: no key is called {name!r}; there are {names}")
    if not removing and name in names:
        raise ConfigurationError(f"name: a key is called {name!r} already; take another name")
    if removing and len(names) == 1:
        raise ConfigurationError(f"name: {name!r} is the only key; add its successor first")


def _write(path: Path, keys: list[ApiKey]) -> None:
    """Put the file in its place in one step, readable by its owner only."""
    new = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY), "wb") as file:
        file.write(msgspec.yaml.encode(keys))
    new.replace(path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scoring.gateway.make_key",
        description="Adds an API key to the file that the gateway is given with --api-keys, and "
        "prints it: only now, as the file has its hash. A running gateway takes the file anew. To "
        "rotate: add a key, move the clients to it, then --remove the old one.",
    )
    parser.add_argument("file", type=Path, help="the key file; made if it is not there")
    parser.add_argument("name", help="who uses the key, such as dispatch-desk-2")
    parser.add_argument("--days", type=float, help="valid for so many days; for ever if left out")
    parser.add_argument("--remove", action="store_true", help="remove the key of this name instead")
    return parser


if __name__ == "__main__":
    sys.exit(main())
