"""What these modules tell Prometheus."""

from prometheus_client import Counter, Gauge

BREAKER_STATE = Gauge(
    "gateway_breaker_state",
    "Of a dependency's circuit breaker: 0 closed, 2 open (1, half open, is not stored).",
    ["dependency"],
    multiprocess_mode="livemax",
)
BREAKER_OPENED = Counter(
    "gateway_breaker_opened_total", "How often a circuit breaker opened.", ["dependency"]
)
BREAKER_REFUSED = Counter(
    "gateway_breaker_refused_total", "Calls not made, as the breaker was open.", ["dependency"]
)
RETRIES = Counter("gateway_retries_total", "Calls that were made again.", ["dependency"])
HEDGES = Counter("gateway_hedges_total", "Second questions to the endpoint.")
LIMIT = Gauge(
    "gateway_concurrency_limit", "Requests that may be in work.", multiprocess_mode="livesum"
)
IN_WORK = Gauge("gateway_in_work", "Requests in work.", multiprocess_mode="livesum")
REFUSED = Counter("gateway_refused_total", "Requests refused for load, by why.", ["why"])
