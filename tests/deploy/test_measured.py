import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy import measured
from flink_jobs.views import JOBS

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


def test_the_reasons_are_the_gateways_rungs() -> None:
    """Alarms count the rungs of the ladder by their names: the endpoint's, and the store's."""
    rungs = _strings("scoring/gateway/rungs.py", "Rung")
    assert set(measured.ENDPOINT_RUNGS) | set(measured.STORE_RUNGS) == (
        rungs - {"overload_fewer_candidates"}
    )


def test_the_views_are_those_of_the_jobs() -> None:
    """Freshness is watched for each view that a job writes."""
    assert tuple(JOBS) == measured.STREAM_VIEWS


def test_the_findings_are_those_of_the_daily_monitoring() -> None:
    """Every finding that can stop a promotion is watched as drift, skew or calibration."""
    kinds = _strings("training/monitoring/findings.py", "Kind")
    told_only = {"no_ripe_labels", "other_model"}
    watched = {*measured.DRIFTS, *measured.SKEWS, "calibration"}
    assert watched == kinds - told_only


@pytest.mark.parametrize("metric", measured.MONITORING)
def test_a_metric_of_the_monitoring_is_one_that_it_writes(metric: str) -> None:
    """What reaches CloudWatch is written by the daily job, with these labels."""
    source = (REPOSITORY / "training/monitoring/metrics.py").read_text()
    assert f'"{metric.removeprefix("monitoring_")}"' in source
    for label in measured.MONITORING[metric]:
        assert f'"{label}": ' in source


@pytest.mark.parametrize("metric", measured.FLINK)
def test_a_metric_of_the_jobs_is_published_by_the_service(metric: str) -> None:
    """It is registered in the group that the managed service looks at, with its labels."""
    source = (REPOSITORY / "flink_jobs/src/main/java/roadside/flink/Heartbeat.java").read_text()
    (label,) = measured.FLINK[metric]
    registered = (
        r'\.addGroup\("kinesisanalytics"\)\s*'
        rf'\.addGroup\("{label}", {label}\)\s*\.gauge\("{metric}"'
    )
    assert re.search(registered, source)


def _strings(module: str, name: str) -> set[str]:
    """Return the values of an enumeration of strings."""
    tree = ast.parse((REPOSITORY / module).read_text())
    (found,) = (n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == name)
    return {
        statement.value.value
        for statement in found.body
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant)
    }
