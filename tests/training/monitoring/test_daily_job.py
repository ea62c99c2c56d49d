"""The daily job: clean days pass, and each fault is found within one run."""

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.training.monitoring import served_day
from tests.training.monitoring.served_day import Fault, Job
from training.monitoring import decisions
from training.monitoring.findings import Finding, Kind, Severity

MPS, MPH = 1 / 3.6, 1 / 1.609344


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_clean_day_passes(job: Job, seed: int) -> None:
    """Without a fault every value equals history's, and nothing stops a promotion."""
    job.serve(seed)
    assert job.run() == 0
    assert [f for f in job.findings() if f.severity is Severity.STOP] == []
    shares = _metrics(job)["monitoring_skew_equal_share"]
    assert set(shares.values()) == {1.0}


FAULTS: dict[str, tuple[Fault, Callable[[Finding], bool]]] = {
    "metres a second": (
        served_day.speeds_in(MPS),
        lambda f: f.kind is Kind.UNIT and "m/s" in f.detail and "speed_mean_kph" in f.feature,
    ),
    "miles an hour": (
        served_day.speeds_in(MPH),
        lambda f: f.kind is Kind.UNIT and "mph" in f.detail and "speed_max_kph" in f.feature,
    ),
    "a stuck weather feed": (
        served_day.stuck_weather,
        lambda f: f.kind is Kind.STUCK and f.feature == "weather" and f.value == 1,
    ),
    "everyone available": (
        served_day.everyone_available,
        lambda f: f.kind is Kind.AVAILABLE and f.value == 1,
    ),
    "features late by 5 minutes": (
        served_day.lag(5, ages_show_it=True),
        lambda f: f.kind is Kind.LAG and f.value == 300 and "show it" in f.detail,
    ),
    "features late by 5 minutes that seem fresh": (
        served_day.lag(5, ages_show_it=False),
        lambda f: f.kind is Kind.LAG and f.value == 300 and "do not show it" in f.detail,
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_and_named(
    job: Job, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One run finds the fault, names it before its symptoms, and ends with the code that stops."""
    fault, names = FAULTS[name]
    job.serve(1, fault)
    assert job.run() == 3
    found = [f for f in job.findings() if names(f)]
    assert found
    told = capsys.readouterr()
    first = next(line for line in told.out.splitlines() if line.startswith("STOP"))
    assert found[0].kind.value in first
    assert found[0].kind.value in told.err


def test_report_and_metrics_tell_what_was_found(job: Job) -> None:
    """The report stands alone and says what to do; the metrics parse, and count the findings."""
    job.serve(1, served_day.everyone_available)
    job.run()
    text = (job.out / "report.html").read_text()
    assert text.count('src="data:image/png') >= 5
    assert "<script" not in text
    assert "http" not in text
    for part in ("everyone_available", "Somebody&#39;s system", "findings stop a promotion"):
        assert part in text
    metrics = _metrics(job)
    found = (("kind", "everyone_available"), ("severity", "stop"))
    assert metrics["monitoring_findings"][found] >= 1
    assert metrics["monitoring_decisions"][()] == 400
    assert metrics["monitoring_available_share"][(("segment", "all"),)] == 1
    assert metrics["monitoring_label_offers"][(("age_h", "6"),)] > 100


def test_limits_can_be_changed(job: Job, tmp_path: Path) -> None:
    """A limit of the YAML file decides, and one on the command line before it."""
    job.serve(1, served_day.stuck_weather, events=200)
    limits = tmp_path / "limits.yaml"
    limits.write_text("repeat_increase: 1\nequal_share: 0\n")
    assert job.run("--limits", str(limits)) == 0
    assert job.run("--limits", str(limits), "--limit", "equal_share=0.5") == 3


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--day", "2026-01-04"), "no decisions of 2026-01-04"),
        (("--limit", "psy=0.3"), "limit 'psy' is not known; the limits are equal_share, psi"),
        (("--limit", "psi=much"), "limit psi is 'much': give a number from 0, such as 0.25"),
        (("--limits", "none.yaml"), "--limits none.yaml cannot be read"),
        (("--bundle", "nowhere"), "no model bundle at nowhere"),
        (("--feature-repo", "nowhere"), "nowhere has no feature_store.yaml"),
    ],
)
def test_bad_input_is_named(
    job: Job, options: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bad input ends with code 2 and a message that names it."""
    job.serve(1, events=40)
    assert job.run(*options) == 2
    assert told in capsys.readouterr().err


def test_too_few_decisions_do_not_pass(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    """A day on which hardly anything was logged is no good day."""
    job.serve(1, events=20)
    assert job.run() == 2
    assert "20 decisions with logged features are too few" in capsys.readouterr().err


def test_decisions_of_another_model_are_told(job: Job) -> None:
    """Chances of another bundle are not this one's calibration, and the report says so."""
    served_day.write(job.archive, job.directory, 1, events=100, version="older")
    assert job.run() == 0
    kinds = {f.kind for f in job.findings()}
    assert {Kind.OTHER_MODEL, Kind.UNRIPE} <= kinds


def test_a_refusal_is_no_other_model(job: Job) -> None:
    """Where nobody could be sent no model was asked, and none is told as another."""
    job.serve(1, events=100)
    (path,) = job.directory.rglob("served.parquet")
    rows = pd.read_parquet(path)
    refused = rows[rows["event_id"] == rows["event_id"].iloc[0]].assign(
        event_id="refused", model_version="", excluded="offline", shown=False
    )
    decisions.write(refused.to_dict("records"), job.directory, "refused.parquet")
    assert job.run() == 0
    assert Kind.OTHER_MODEL not in {f.kind for f in job.findings()}


def test_what_is_not_known_yet_is_said_in_words(
    job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before any label is ripe the report has no "nan": it says until when it waits."""
    job.serve(1, events=40)
    assert job.run("--as-of", f"{served_day.DAY}T00:00:00Z") == 0
    told = capsys.readouterr().out, (job.out / "report.html").read_text()
    for text in told:
        assert not re.search(r"\bnan\b", text, re.IGNORECASE)
        words = " ".join(re.sub(r"[│\s]+", " ", text).split())
        assert f"outcomes known until {served_day.DAY} 00:00 UTC; the last is final about" in words


def _metrics(job: Job) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    text = (job.out / "monitoring.prom").read_text()
    return {
        family.name: {tuple(sorted(s.labels.items())): s.value for s in family.samples}
        for family in text_string_to_metric_families(text)
    }
