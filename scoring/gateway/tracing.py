"""OpenTelemetry traces: a span a request, and in it a span a stage, of a share of the requests.

Spans are made when the answer is ready, from the times that the stages have noted anyway: a gateway
that traces nothing does nothing for it, and a request that is traced is no later for it.
"""

import time
from collections.abc import Mapping

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import extract
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanKind, set_span_in_context

from scoring.gateway.stages import StageClock

SERVICE = "scoring-gateway"
_STATUS_CODE = "http.response.status_code"
_NS_PER_S = 1e9


def otlp_exporter(url: str) -> SpanExporter:
    """Return what sends spans to a collector, OTLP over HTTP; the URL ends in ``/v1/traces``."""
    return OTLPSpanExporter(endpoint=url)


class Tracing:
    """Traces a share of the requests, and those whose caller traces them (``traceparent``).

    Args:
        share: Of the requests whose caller does not say, 0 to 1.
        exporter: Takes the spans, in a thread of its own.
    """

    def __init__(self, share: float, exporter: SpanExporter) -> None:
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(share)),
            resource=Resource.create({SERVICE_NAME: SERVICE}),
        )
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer(__name__)

    def record(self, headers: Mapping[str, str], clock: StageClock, status: int) -> None:
        """Make the spans of a request that has just been answered, if it is among the traced."""
        zero_ns = time.time_ns() - int(clock.now_s() * _NS_PER_S)  # where the clock's time begins

        def at_ns(moment_s: float) -> int:
            return zero_ns + int(moment_s * _NS_PER_S)

        request = self._tracer.start_span(
            "recommend",
            context=extract(headers),
            kind=SpanKind.SERVER,
            start_time=at_ns(clock.started_s),
        )
        if request.is_recording():
            request.set_attribute(_STATUS_CODE, status)
            within = set_span_in_context(request)
            for name, from_s, to_s in clock.passed:
                stage = self._tracer.start_span(name, context=within, start_time=at_ns(from_s))
                stage.end(at_ns(to_s))
        request.end()

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()
