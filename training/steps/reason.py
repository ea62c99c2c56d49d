"""Why a job failed, left where SageMaker's console looks for it."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from training.errors import exit_on_errors

MOST_BYTES = 1024
"""The console shows no more of it."""


@contextmanager
def left_in(path: Path, step: str) -> Iterator[None]:
    """Leave the reason of a failure in a file, then end the process as ``exit_on_errors`` does.

    What nobody foresaw is left there too, and raised again with its traceback.
    """
    with exit_on_errors(step):
        try:
            yield
        except Exception as error:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_shortened(f"{step}: {type(error).__name__}: {error}"))
            raise


def _shortened(text: str) -> bytes:
    """Return the first bytes as UTF-8 without half a character at the end: jobs fail of others."""
    return text.encode()[:MOST_BYTES].decode(errors="ignore").encode()


def add_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--reason``, the file, to a processing step's command."""
    parser.add_argument(
        "--reason", type=Path, default=Path("/opt/ml/output/message"), help="why the step failed"
    )
