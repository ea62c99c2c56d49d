"""Mistakes that a person can put right, and how the steps end on them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from feature_repo.bundle_manifest import BundleError


class DataError(ValueError):
    """Data is missing or not as it must be; the message says what and how to go on."""


class GateError(DataError):
    """Checks failed: nothing may be trained or published from this data."""


@contextmanager
def exit_on_errors(step: str) -> Iterator[None]:
    """End the process on a foreseeable mistake: exit code 3 for a failed gate, else 2."""
    try:
        yield
    except (DataError, BundleError, OSError) as error:
        sys.stderr.write(f"{step}: {error}\n")
        sys.exit(3 if isinstance(error, GateError) else 2)
