"""The rooms and who may import whom, as CONTRIBUTING.md has it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
ALLOWED: dict[str, tuple[str, ...]] = {
    "feature_repo": (),
    "flink_jobs": ("feature_repo",),
    "training": ("feature_repo",),
    "scoring/endpoint": ("feature_repo", "scoring.refusal"),
    "scoring/gateway": ("feature_repo", "scoring.endpoint", "scoring.refusal"),
    "simulator": ("flink_jobs.event_schemas",),
    "deploy": (),
}
OURS = {"benchmarks", "deploy", "feature_repo", "flink_jobs", "scoring", "simulator", "training"}


def _imports(path: Path) -> Iterator[str]:
    """Yield the full name of every module of ours that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] in OURS)


@pytest.mark.parametrize("room", ALLOWED)
def test_a_room_imports_only_what_it_may(room: str) -> None:
    """Data flows one way, and no module reaches into a room that its own may not import."""
    allowed = (room.replace("/", "."), *ALLOWED[room])
    forbidden = [
        f"{path.relative_to(REPOSITORY)} imports {name}"
        for path in sorted((REPOSITORY / room).rglob("*.py"))
        for name in _imports(path)
        if not any(f"{name}.".startswith(f"{prefix}.") for prefix in allowed)
    ]
    assert forbidden == []
