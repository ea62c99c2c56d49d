"""Names by which the parts of a deployment find one another."""

ENDPOINT = "roadside-ranker"
MODEL_PACKAGE_GROUP = "roadside-ranker"
PRODUCTION_VARIANT = "production"
CANDIDATE_VARIANT = "candidate"
SHADOW_VARIANT = "shadow"
PIPELINE = "roadside-ranker-training"
NAMESPACE = "RoadsideDispatch"
"""The metric namespace of what the product itself measures."""

_GUARDRAILS = ("latency-p99", "errors-5xx", "invalid-answers")


def guardrail_alarms(variant: str) -> tuple[str, ...]:
    """Return the names of the alarms that stop the rollout of a variant of the endpoint."""
    return tuple(f"{ENDPOINT}-{variant}-{what}" for what in _GUARDRAILS)
