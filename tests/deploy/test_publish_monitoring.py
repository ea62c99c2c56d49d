from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

pytest.importorskip("prometheus_client", reason="the product's environment has it")

from deploy import publish_monitoring

TEXT = """\
# HELP monitoring_finished_seconds When the daily job last finished, epoch seconds.
# TYPE monitoring_finished_seconds gauge
monitoring_finished_seconds 1.795e+09
# HELP monitoring_decisions_examined Decisions examined.
# TYPE monitoring_decisions_examined gauge
monitoring_decisions_examined 400.0
# HELP monitoring_findings Findings.
# TYPE monitoring_findings gauge
monitoring_findings{kind="drift_psi",severity="stop"} 2.0
monitoring_findings{kind="skew",severity="stop"} 0.0
# HELP monitoring_drift_psi Population stability index.
# TYPE monitoring_drift_psi gauge
monitoring_drift_psi{feature="eta_min"} 0.1
"""
FINISHED = datetime.fromtimestamp(1_795_000_000, UTC)


@pytest.fixture
def cloudwatch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """CloudWatch, whose answers a test says beforehand."""
    client = boto3.client(
        "cloudwatch", "us-east-1", aws_access_key_id="none", aws_secret_access_key="none"
    )
    monkeypatch.setattr(boto3, "client", lambda *_, **__: client)
    with Stubber(client) as stubber:
        yield stubber


def _file(directory: Path, text: str = TEXT) -> str:
    path = directory / "monitoring.prom"
    path.write_text(text)
    return str(path)


def _value(name: str, value: float, **dimensions: str) -> dict[str, Any]:
    return {
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": said} for key, said in dimensions.items()],
        "Timestamp": FINISHED,
        "Value": value,
    }


def test_what_alarms_read_is_put(tmp_path: Path, cloudwatch: Stubber) -> None:
    """Findings and counts go there, with the run's time; what no alarm reads does not."""
    expected = [
        _value("monitoring_decisions_examined", 400.0),
        _value("monitoring_findings", 2.0, severity="stop", kind="drift_psi"),
        _value("monitoring_findings", 0.0, severity="stop", kind="skew"),
    ]
    cloudwatch.add_response(
        "put_metric_data", {}, {"Namespace": "RoadsideDispatch", "MetricData": expected}
    )
    assert publish_monitoring.main([_file(tmp_path)]) == 0
    cloudwatch.assert_no_pending_responses()


@pytest.mark.usefixtures("cloudwatch")
@pytest.mark.parametrize("text", ["", "not { prometheus", "monitoring_findings 1.0\n"])
def test_what_is_no_run_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    """A file that the monitoring did not write is named with the remedy, and nothing is put."""
    assert publish_monitoring.main([_file(tmp_path, text)]) == 2
    assert "monitoring.prom" in (said := capsys.readouterr().err)
    assert "run python -m training.monitoring first" in said


def test_a_refusal_ends_the_command(
    tmp_path: Path, cloudwatch: Stubber, capsys: pytest.CaptureFixture[str]
) -> None:
    """If CloudWatch does not take the values, the command says so and does not end with 0."""
    cloudwatch.add_client_error("put_metric_data", "AccessDenied")
    assert publish_monitoring.main([_file(tmp_path)]) == 1
    assert "AccessDenied" in capsys.readouterr().err
