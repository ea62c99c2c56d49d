"""What the decision log tells Prometheus."""

from prometheus_client import Counter, Gauge

WRITTEN = Counter("gateway_decision_log_written_total", "Decisions written to the stream.")
DROPPED = Counter("gateway_decision_log_dropped_total", "Decisions not logged.", ["reason"])
SPILLED = Counter("gateway_decision_log_spilled_total", "Decisions put on disk for later.")
REPLAYED = Counter("gateway_decision_log_replayed_total", "Decisions sent from disk.")
BUFFERED = Gauge(
    "gateway_decision_log_buffered", "Decisions in memory.", multiprocess_mode="livesum"
)
SPILL_BYTES = Gauge(
    "gateway_decision_log_spill_bytes", "On disk, of all processes.", multiprocess_mode="livemax"
)
