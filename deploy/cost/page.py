"""The part of a page that a command writes, between two comments."""

from pathlib import Path

BEGIN = "<!-- made by `make cost`: do not edit from here -->"
END = "<!-- to here -->"


class PageError(ValueError):
    """The page cannot be written; the message says what it lacks."""


def write(path: Path, tables: str) -> None:
    """Put the tables between the two comments of a page.

    Raises:
        PageError: It is not there, or has no such comments.
    """
    try:
        before, _, after = _parts(path)
    except OSError as error:
        raise PageError(f"{path}: {error.strerror}; name the page, docs/cost.md") from error
    path.write_text(f"{before}{BEGIN}\n\n{tables}\n{END}{after}")


def read(path: Path) -> str:
    """Return the tables that are between the two comments of a page."""
    return _parts(path)[1]


def _parts(path: Path) -> tuple[str, str, str]:
    text = path.read_text()
    before, begins, rest = text.partition(BEGIN)
    tables, ends, after = rest.partition(END)
    if not (begins and ends):
        raise PageError(f"{path} lacks the lines {BEGIN!r} and {END!r}; put them in")
    return before, tables.strip("\n") + "\n", after
