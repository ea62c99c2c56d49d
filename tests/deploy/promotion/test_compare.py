import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from deploy.names import ENDPOINT
from deploy.promotion.evidence import Measured
from deploy.promotion.failures import RefusedError
from deploy.promotion.registry import APPROVED, PENDING
from deploy.promotion.steps.compare import compare
from deploy.promotion.steps.shadow import shadow
from tests.deploy.promotion.conftest import World
from tests.deploy.promotion.service import CAPTURES, FIRST

PAIRS, CANDIDATES = 400, 20
Change = Callable[[dict[str, Any]], dict[str, Any]]


def answer(seed: int) -> dict[str, Any]:
    """Return an answer's columns, float32 each."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=CANDIDATES).astype(np.float32)
    minutes = rng.uniform(5, 40, CANDIDATES).astype(np.float32)
    return {
        "scores": scores,
        "eta_p50_min": minutes,
        "eta_p90_min": minutes * 1.5,
        "success_probability": 1 / (1 + np.exp(-scores)),
    }


def captured(seed: int, columns: dict[str, Any]) -> str:
    """Return the line that data capture writes of a question and its answer."""
    body = msgspec.msgpack.encode({name: c.tobytes() for name, c in columns.items()})
    parts = {"endpointInput": b"question %d" % seed, "endpointOutput": body}
    return json.dumps(
        {
            "captureData": {
                name: {"data": base64.b64encode(data).decode(), "encoding": "BASE64"}
                for name, data in parts.items()
            },
            "eventVersion": "0",
        }
    )


def _same(columns: dict[str, Any]) -> dict[str, Any]:
    return columns


def _captures(world: World, change: Change = _same) -> None:
    for variant, of in (("production", _same), ("shadow", change)):
        lines = [captured(seed, of(answer(seed))) for seed in range(PAIRS)]
        place = f"{CAPTURES}/{ENDPOINT}/{variant}/2026/11/27/19/1.jsonl"
        world.storage.write(place, "\n".join(lines).encode())


@pytest.fixture
def shadowed(world: World) -> World:
    """A version in shadow."""
    shadow(world.context, world.registered().version, CAPTURES, capture_percent=100, bake_s=60)
    return world


def test_a_shadow_that_passes_every_gate_is_approved(
    shadowed: World, report: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The comparison is shown, and the version approved beside the production of today."""
    _captures(shadowed)
    compare(shadowed.context, report)
    package = shadowed.context.registry.package(1)
    assert (package.status, package.compared_with) == (APPROVED, FIRST)
    told = capsys.readouterr().out
    assert "400 requests answered by both, 0 of the shadow invalid" in told
    assert "same first 100.0%, rank correlation 1.000" in told


def _inverted(columns: dict[str, Any]) -> dict[str, Any]:
    return {**columns, "scores": -columns["scores"]}


def _later(columns: dict[str, Any]) -> dict[str, Any]:
    return {**columns, "eta_p50_min": columns["eta_p50_min"] + np.float32(4)}


def _hopeful(columns: dict[str, Any]) -> dict[str, Any]:
    chances = np.minimum(columns["success_probability"] + np.float32(0.1), np.float32(1))
    return {**columns, "success_probability": chances}


def _percent(columns: dict[str, Any]) -> dict[str, Any]:
    return {**columns, "success_probability": columns["success_probability"] * np.float32(100)}


def _not_numbers(columns: dict[str, Any]) -> dict[str, Any]:
    return {**columns, "scores": columns["scores"] * np.float32(np.nan)}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_inverted, "parity: rank correlation is -1"),
        (_inverted, "parity: chance lost"),
        (_later, "parity: minutes' difference is 4"),
        (_hopeful, "parity: change of the chance of success"),
        (_percent, "parity: 400 answers of the shadow are no scores that can be"),
        (_not_numbers, "parity: 400 answers of the shadow are no scores that can be"),
    ],
)
def test_a_shadow_that_answers_otherwise_is_refused(
    shadowed: World, report: Path, change: Change, reason: str
) -> None:
    """Order, minutes, chances and sense of the answers are each a gate; nothing is approved."""
    _captures(shadowed, change)
    with pytest.raises(RefusedError, match=reason):
        compare(shadowed.context, report)
    assert shadowed.context.registry.package(1).status == PENDING


@pytest.mark.parametrize(
    ("measured", "reason"),
    [
        (Measured(1000, 0, 5.0, 41.0), "the shadow's p99, ms is 41, must be at most 40"),
        (Measured(1000, 0, 5.0, 31.0), "p99 over production's is 1.55, must be at most 1.5"),
        (Measured(1000, 2, 5.0, 20.0), "share of 5xx of the shadow is 0.002"),
        (Measured(3, 0, 5.0, 20.0), "the shadow's requests is 3, must be at least 500"),
        (Measured(0, 0, float("nan"), float("nan")), "p99, ms is nan"),
    ],
)
def test_a_shadow_that_is_slow_or_fails_is_refused(
    shadowed: World, report: Path, measured: Measured, reason: str
) -> None:
    """Latency, beside the budget and beside production, errors, and having been asked at all."""
    _captures(shadowed)
    shadowed.measurements.of["shadow"] = measured
    with pytest.raises(RefusedError, match=reason):
        compare(shadowed.context, report)


def test_too_few_pairs_are_refused(shadowed: World, report: Path) -> None:
    """Answers to different questions are not compared, and too few are not enough."""
    with pytest.raises(RefusedError, match="parity: pairs is 0, must be at least 300"):
        compare(shadowed.context, report)


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("findings.json", '[{"severity": "stop", "kind": "lag", "feature": "all"}]', "skew: lag"),
        ("monitoring.prom", "monitoring_finished_seconds 1.7e+09\n", "age of the report"),
        ("monitoring.prom", "nothing\n", "does not say when"),
        ("findings.json", "{", "run `python -m training.monitoring`"),
    ],
)
def test_skew_that_stops_a_promotion_is_refused(
    shadowed: World, report: Path, file: str, content: str, reason: str
) -> None:
    """What the daily job stops, and a report that is old or none, refuse."""
    _captures(shadowed)
    (report / file).write_text(content)
    with pytest.raises(RefusedError, match=reason):
        compare(shadowed.context, report)


def test_what_the_daily_job_only_tells_stops_nothing(shadowed: World, report: Path) -> None:
    """Findings of severity tell are for reading."""
    _captures(shadowed)
    told = '[{"severity": "tell", "kind": "drift_psi", "feature": "x"}]'
    (report / "findings.json").write_text(told)
    compare(shadowed.context, report)


def test_a_broken_capture_is_one_clear_line(shadowed: World, report: Path) -> None:
    """A file that data capture did not write is named as what it is."""
    _captures(shadowed)
    place = f"{CAPTURES}/{ENDPOINT}/shadow/2026/11/27/19/2.jsonl"
    shadowed.storage.write(place, b"<html>")
    with pytest.raises(RefusedError, match="captured line cannot be read"):
        compare(shadowed.context, report)


def test_without_a_shadow_it_is_refused(world: World, report: Path) -> None:
    """There is nothing to compare."""
    with pytest.raises(RefusedError, match="no version is in shadow"):
        compare(world.context, report)
