import time

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from scoring.gateway.stages import StageClock
from scoring.gateway.tracing import Tracing

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{sampled}"


def _passed() -> StageClock:
    clock = StageClock()
    with clock.stage("read"):
        time.sleep(0.002)
    with clock.stage("score"):
        pass
    return clock


def _spans(share: float, headers: dict[str, str], times: int = 1) -> list[ReadableSpan]:
    exporter = InMemorySpanExporter()
    tracing = Tracing(share, exporter)
    for _ in range(times):
        tracing.record(headers, _passed(), 200)
    tracing.close()
    return list(exporter.get_finished_spans())


def test_a_span_a_request_and_in_it_a_span_a_stage() -> None:
    """Stages are children of the request, within its time and as long as the clock says."""
    read, score, request = _spans(1.0, {})
    assert [span.name for span in (read, score, request)] == ["read", "score", "recommend"]
    assert request.attributes == {"http.response.status_code": 200}
    for stage in (read, score):
        assert stage.parent is not None
        assert stage.parent.span_id == request.context.span_id
        assert request.start_time <= stage.start_time <= stage.end_time <= request.end_time  # type: ignore[operator]
    assert read.end_time - read.start_time >= 2_000_000  # type: ignore[operator]


def test_the_callers_word_counts() -> None:
    """Who traces the request at the caller finds it in the same trace, or not at all."""
    kept = _spans(0.0, {"traceparent": TRACEPARENT.format(sampled="01")})
    assert {f"{span.context.trace_id:032x}" for span in kept} == {TRACEPARENT.split("-")[1]}
    assert _spans(1.0, {"traceparent": TRACEPARENT.format(sampled="00")}) == []


def test_the_share_is_what_was_asked_for() -> None:
    """Of requests whose caller does not say, about the share is traced."""
    requests = [span for span in _spans(0.2, {}, times=1000) if span.name == "recommend"]
    assert len(requests) == pytest.approx(200, abs=60)
