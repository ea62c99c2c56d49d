"""The rungs of the ladder: what an answer's ``degraded`` names when something did not work.

::

    score    endpoint ─► the same bundle in process ─► the rule
    store    Redis ─► the rows read last ─► their profiles only ─► 503
    freshness  a stalled pipeline's view is unknown, and nobody counts as available by it
    load     all candidates ─► fewer ─► 429

Each is counted in ``gateway_degraded_total`` by its name.
"""

from collections.abc import Iterable
from enum import StrEnum

from feature_repo.schema import PROVIDER_AVAILABILITY


class Rung(StrEnum):
    """What an answer was made without."""

    ENDPOINT_UNAVAILABLE = "endpoint_unavailable"
    """The endpoint is slow or down: the same bundle scored in the gateway's process."""
    RULE_SCORE = "model_unavailable_rule_score"
    """No model in time: soonest and most reliable first."""
    LAST_ROWS = "feature_store_unavailable_last_rows"
    """Redis is slow or down: the rows read last were used; their ages are true."""
    PROFILE_ONLY = "availability_unknown_profile_only"
    """Nobody's availability is known: ranked by contract and base. Ask before sending."""
    FEWER_CANDIDATES = "overload_fewer_candidates"
    """Too many requests: only the nearest candidates were considered."""


def pipeline_stalled(view: str) -> str:
    """Return the rung of a view whose pipeline stands still: its features are unknown."""
    return f"pipeline_stalled:{view}"


def schema_mismatch(view: str) -> str:
    """Return the rung of a view of which rows of another schema were found, and not used."""
    return f"schema_mismatch:{view}"


def availability_is_away(degraded: Iterable[str]) -> bool:
    """Return whether these rungs mean that nobody's present availability can be had."""
    without = {Rung.LAST_ROWS, pipeline_stalled(PROVIDER_AVAILABILITY.name)}
    return not without.isdisjoint(degraded)
