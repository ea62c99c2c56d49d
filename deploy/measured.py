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

STREAM_VIEWS = ("provider_motion", "provider_availability", "cell_conditions", "cell_demand")
"""The views that the jobs keep fresh."""

ENDPOINT_RUNGS = ("endpoint_unavailable", "model_unavailable_rule_score")
STORE_RUNGS = ("feature_store_unavailable_last_rows", "availability_unknown_profile_only")
"""Reasons of ``gateway_degraded_total``: what a decision was made without."""

DRIFTS = ("drift_psi", "drift_ks", "unit_change", "missing")
SKEWS = ("skew", "lag", "from_the_future", "stuck_feed", "everyone_available",
         "availability_unusable")  # fmt: skip
"""Kinds of ``monitoring_findings``: the world or a source has changed; served is not what was."""
