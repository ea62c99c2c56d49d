"""The tests that a page names, and whether they exist.

A page names a test as pytest does, below ``tests/``: a file, or a file and a function, whose name
may end in ``...``.
"""

import ast
import re
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parents[1]
_NAMED = re.compile(r"`([\w./]+\.py)(?:::(\w+)(\.\.\.)?)?`")


def named(text: str) -> list[tuple[str, str, bool]]:
    """Return the tests that a text names: file, function (or empty), whether that is a prefix."""
    found = _NAMED.findall(text)
    return [
        (file, function, bool(dots))
        for file, function, dots in found
        if Path(file).name.startswith("test_")
    ]


def missing(text: str) -> list[str]:
    """Return what a text names as a test and is none."""
    return [f"{file}::{function}" for file, function, prefix in named(text)
            if not _exists(file, function, prefix)]  # fmt: skip


def rows(text: str) -> list[str]:
    """Return the rows of all tables in a page, without their heads."""
    lines = text.splitlines()
    heads = {at - 1 for at, line in enumerate(lines) if line.startswith("|---")}
    return [line for at, line in enumerate(lines) if line.startswith("| ") and at not in heads]


def _exists(file: str, function: str, prefix: bool) -> bool:
    functions = _functions(file)
    if not function:
        return bool(functions)
    return any(name.startswith(function) if prefix else name == function for name in functions)


@cache
def _functions(file: str) -> frozenset[str]:
    path = TESTS / file
    if not path.is_file():
        return frozenset()
    return frozenset(
        node.name
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
