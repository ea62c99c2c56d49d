"""The tests that a page names, and the rows of its tables.

A page names a test as pytest does, below ``tests/``: a file, or a file and a function, whose name
may end in ``...``.
"""

import ast
import re
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "docs"
_TEST = re.compile(r"`((?:\w+/)*test_\w+\.py)(?:::(\w+)(\.\.\.)?)?`")


def named_tests(text: str) -> list[str]:
    """Return the tests that a text names, as it names them."""
    return [found.group(0) for found in _TEST.finditer(text)]


def missing_tests(text: str) -> list[str]:
    """Return the tests that a text names and that do not exist."""
    return [found.group(0) for found in _TEST.finditer(text) if not _exists(*found.groups())]


def rows(text: str) -> list[str]:
    """Return the rows of all tables in a page, without their heads."""
    lines = text.splitlines()
    heads = {at - 1 for at, line in enumerate(lines) if line.startswith("|---")}
    return [line for at, line in enumerate(lines) if line.startswith("| ") and at not in heads]


def _exists(file: str, function: str | None, dots: str | None) -> bool:
    functions = _functions(file)
    if function is None:
        return bool(functions)
    return any(name.startswith(function) if dots else name == function for name in functions)


@cache
def _functions(file: str) -> frozenset[str]:
    path = REPOSITORY / "tests" / file
    if not path.is_file():
        return frozenset()
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    body = ast.parse(path.read_text()).body
    return frozenset(node.name for node in body if isinstance(node, kinds))
