"""The metrics of our own that reach CloudWatch, with their labels; a test holds each to the source.

The gateway's are read from its ``/metrics`` by a collector beside each task; the daily
monitoring's are put there when it ends; Flink's are published by the service, in its own namespace.
"""

from collections.abc import Mapping

GATEWAY: Mapping[str, tuple[str, ...]] = {
    "gateway_breaker_state": ("dependency",),
    "gateway_cheap_path_compared_total": ("rung",),
    "gateway_cheap_path_same_first_total": ("rung",),
    "gateway_concurrency_limit": (),
    "gateway_decision_log_dropped_total": ("reason",),
    "gateway_decision_log_spill_bytes": (),
    "gateway_decision_log_written_total": (),
    "gateway_decisions_total": ("status",),
    "gateway_degraded_total": ("reason",),
    "gateway_endpoint_answers_total": ("variant", "outcome"),
    "gateway_in_work": (),
    "gateway_refused_total": ("why",),
    "gateway_unusable_rows_total": ("view", "why"),
}

MONITORING: Mapping[str, tuple[str, ...]] = {
    "monitoring_calibration_error": (),
    "monitoring_decisions_examined": (),
    "monitoring_findings": ("severity", "kind"),
}

FLINK: Mapping[str, tuple[str, ...]] = {"watermark_lag_ms": ("view",)}

SERVICE_LABEL, GATEWAY_SERVICE = "service", "gateway"
"""A label of every metric of the gateway: CloudWatch's collector takes none without a label."""
