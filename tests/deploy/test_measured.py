import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy import measured

REPOSITORY = Path(__file__).parents[2]
_KINDS = {"Counter", "Gauge", "Histogram"}


def _declared(room: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield name and labels of every metric that a room makes of literals."""
    for path in (REPOSITORY / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in _KINDS
                and len(node.args) >= 2
                and isinstance(node.args[0], ast.Constant)
            ):
                labels = ast.literal_eval(node.args[2]) if len(node.args) > 2 else []
                yield node.args[0].value, tuple(labels)


@pytest.mark.parametrize("metric", measured.GATEWAY)
def test_a_metric_of_the_gateway_is_one_that_it_makes(metric: str) -> None:
    """Alarms and the collector name metrics of the gateway's source, with their labels."""
    assert dict(_declared("scoring/gateway"))[metric] == measured.GATEWAY[metric]
