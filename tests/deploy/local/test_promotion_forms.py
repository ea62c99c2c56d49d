"""What a promotion reads is what the product writes: forms that deploy/ repeats, held equal."""

import time
from pathlib import Path

import msgspec
import numpy as np

from deploy.promotion import answers, monitoring
from deploy.promotion.evidence import evaluation
from deploy.promotion.gates import offline
from deploy.promotion.limits import Limits
from scoring.endpoint import protocol
from scoring.endpoint.scorer import Scores
from training.monitoring import __main__ as daily_job
from training.monitoring.findings import Finding, Kind, Severity
from training.steps import evaluation_report


def test_an_answer_of_the_endpoint_is_read() -> None:
    """The arrays of the endpoint's protocol arrive as they were sent."""
    columns = [np.random.default_rng(seed).random(30).astype(np.float32) for seed in range(4)]
    no_rows = np.empty(0, dtype=np.int32)
    nothing = np.empty((0, 5), dtype=np.float32)
    sent = Scores("b", *columns, no_rows, nothing, 0.5)
    found = answers.read(protocol.encode_response(sent))
    assert found is not None
    np.testing.assert_array_equal(found.scores, sent.scores)
    np.testing.assert_array_equal(found.eta_p50_min, sent.eta_p50_min)
    np.testing.assert_array_equal(found.chances, sent.success_probability)


def test_the_daily_jobs_findings_are_read(tmp_path: Path) -> None:
    """Findings that stop are told apart, and when the job finished is known."""
    findings = [
        Finding(severity, Kind.SKEW, "eta", "all", 0.9, 0.98, "differs") for severity in Severity
    ]
    (tmp_path / daily_job.FINDINGS).write_bytes(msgspec.json.encode(findings))
    (tmp_path / daily_job.METRICS).write_text(f"monitoring_finished_seconds {time.time()}\n")
    assert monitoring.read(tmp_path).stops == ("skew of eta",)
    assert (monitoring.FINDINGS, monitoring.METRICS) == (daily_job.FINDINGS, daily_job.METRICS)


def test_an_evaluation_of_the_pipeline_is_judged() -> None:
    """Every number of the gate has the name that evaluation.json gives it."""
    names = evaluation_report.Gates.__struct_fields__
    told = {"version": "b", "test": {"requests": 900}, "gates": dict.fromkeys(names, 0.0)}
    assert list(offline(evaluation(msgspec.json.encode(told)), Limits())) == []
    assert set(evaluation_report.Tested.__struct_fields__) >= {"requests"}
