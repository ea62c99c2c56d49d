import json
import re
from pathlib import Path

import pytest

from deploy.measured import STREAM_VIEWS
from tests.deploy.stacks.templates import Properties, Templates

# What must be told when it does not hold, and the metric by which it is seen.
OBJECTIVES = {
    "latency-p99": "TargetResponseTime",
    "errors": "HTTPCode_Target_5XX_Count",
    "refused": "gateway_decisions_total",
    "silence": "gateway_decisions_total",
    "healthy-tasks": "HealthyHostCount",
    "fallback-share": "gateway_degraded_total",
    "store-fallback-share": "gateway_degraded_total",
    "fallback-differs": "gateway_cheap_path_same_first_total",
    "decisions-lost": "gateway_decision_log_dropped_total",
    "decisions-waiting": "gateway_decision_log_spill_bytes",
    **{f"freshness-{view}": "gateway_degraded_total" for view in STREAM_VIEWS},
    **{f"watermark-lag-{view}": "watermark_lag_ms" for view in STREAM_VIEWS},
    "dead-letters": "IncomingBytes",
    "job-restarts": "numRestarts",
    "failed-checkpoints": "numberOfFailedCheckpoints",
    "store-processor": "EngineCPUUtilization",
    "store-memory": "DatabaseMemoryUsagePercentage",
    "store-replication": "ReplicationLag",
    "drift": "monitoring_findings",
    "skew": "monitoring_findings",
    "calibration": "monitoring_findings",
    "monitoring-ran": "monitoring_decisions_examined",
    "retraining-missed": "ApproximateNumberOfMessagesVisible",
}
SILENCE_IS_BAD = {
    "silence",
    "healthy-tasks",
    *(f"watermark-lag-{view}" for view in STREAM_VIEWS),
    "store-processor",
    "store-memory",
    "store-replication",
    "monitoring-ran",
}


def _alarms(templates: Templates) -> dict[str, Properties]:
    alarms = templates.resources("AWS::CloudWatch::Alarm", "observability")
    return {alarm["AlarmName"].removeprefix("roadside-"): alarm for alarm in alarms}


def _metrics(alarm: Properties) -> set[str]:
    of_expression = [
        m["MetricStat"]["Metric"] for m in alarm.get("Metrics", []) if "MetricStat" in m
    ]
    return {metric["MetricName"] for metric in (of_expression or [alarm])}


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_an_objective_has_an_alarm_that_tells_somebody(
    templates: Templates, objective: str
) -> None:
    """Each objective is watched by its metric, and its alarm goes to the topic."""
    alarm = _alarms(templates)[objective]
    assert OBJECTIVES[objective] in _metrics(alarm)
    (action,) = alarm["AlarmActions"]
    (topic,) = dict(templates.named("AWS::SNS::Topic"))
    assert action == {"Ref": topic.split("/")[1]}


def test_no_alarm_is_without_an_objective(templates: Templates) -> None:
    """The list above is whole: what is watched is an objective."""
    assert _alarms(templates).keys() == OBJECTIVES.keys()


def test_silence_is_bad_where_it_is_the_fault(templates: Templates) -> None:
    """What always has data is in ALARM without; what is counted only when it happens is not."""
    for name, alarm in _alarms(templates).items():
        expected = "breaching" if name in SILENCE_IS_BAD else "notBreaching"
        assert alarm["TreatMissingData"] == expected, name


def test_every_alarm_names_a_section_of_a_runbook(templates: Templates) -> None:
    """Descriptions end with a page and a section that are there, the guardrails' as well."""
    for alarm in templates.resources("AWS::CloudWatch::Alarm"):
        page, section = alarm["AlarmDescription"].split(". ")[-1].split("#")
        headings = re.findall(r"^#+ (.+)$", Path(page).read_text(), re.MULTILINE)
        anchors = [
            re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings
        ]
        assert section in anchors, alarm["AlarmName"]


def test_the_percentile_objective_is_the_promise(templates: Templates) -> None:
    """The load balancer's p99 must stay below the 150 ms that clients were promised."""
    alarm = _alarms(templates)["latency-p99"]
    assert alarm["ExtendedStatistic"] == "p99"
    assert alarm["Threshold"] == 0.15


def test_every_objective_has_a_graph(templates: Templates) -> None:
    """The dashboard shows each objective with its limit, and the guardrails' state."""
    (dashboard,) = templates.resources("AWS::CloudWatch::Dashboard")
    text = json.dumps(dashboard["DashboardBody"])
    assert [
        name for name in OBJECTIVES if f'\\"title\\":\\"{name}\\"' not in text.replace("\\\\", "\\")
    ] == []
    assert "Guardrails of the endpoint's variants" in text


def test_alarms_are_encrypted_and_go_by_tls(templates: Templates) -> None:
    """The topic has a key of ours, which its publishers may use, and refuses plain HTTP."""
    (topic,) = templates.resources("AWS::SNS::Topic")
    assert "Fn::GetAtt" in topic["KmsMasterKeyId"]
    (key,) = templates.resources("AWS::KMS::Key", "observability")
    users = json.dumps(key["KeyPolicy"])
    assert "cloudwatch.amazonaws.com" in users
    assert "events.amazonaws.com" in users
    denied = [s for _, s in templates.statements("AWS::SNS::TopicPolicy") if s["Effect"] == "Deny"]
    assert [s["Condition"] for s in denied] == [{"Bool": {"aws:SecureTransport": "false"}}]


def test_a_failed_retraining_is_told(templates: Templates) -> None:
    """An execution that fails, at a gate say, goes to the topic too."""
    (rule,) = templates.resources("AWS::Events::Rule", "observability")
    assert rule["EventPattern"]["detail"]["currentPipelineExecutionStatus"] == ["Failed"]
    assert len(rule["Targets"]) == 1
