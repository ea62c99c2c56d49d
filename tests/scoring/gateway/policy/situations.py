"""Candidates as the rules see them, and a policy in which nothing but the model decides."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import yaml

from scoring.gateway.policy.file import DEFAULT_POLICY
from scoring.gateway.policy.first_places import Count, Shares
from scoring.gateway.policy.ranking import Situation
from scoring.gateway.policy.rules import Policy


def policy(**given: Any) -> Policy:
    """Return a policy without exploration, fairness, contract minimum or bound; but as given."""
    return msgspec.convert({**document(), **given}, Policy)


def document() -> dict[str, Any]:
    """Return the gateway's own policy file, with every rule that can be off being off."""
    shipped: dict[str, Any] = yaml.safe_load(Path(DEFAULT_POLICY).read_text())
    return {
        **shipped,
        "max_chance_cost": 0.5,
        "contract_minimum": {},
        "fairness": {"provider_share": 1, "handicap_cap": 0},
        "exploration": {"share": 0, "among": 1},
    }


def counts(possible: list[float], first: list[float]) -> Count:
    """Return counts of decisions."""
    return Count(np.array(possible, dtype=np.float64), np.array(first, dtype=np.float64))


def situation(scores: list[float] | np.ndarray, **given: Any) -> Situation:
    """Return candidates of tier 1, positions known, equal chances, no history; but as given."""
    n = len(scores)
    nothing = counts([0.0] * n, [0.0] * n)
    values: dict[str, Any] = {
        "provider_ids": [f"p{i}" for i in range(n)],
        "scores": np.asarray(scores, dtype=np.float32),
        "success_probability": np.full(n, 0.5, dtype=np.float32),
        "tiers": np.ones(n, dtype=np.intp),
        "position_unknown": np.zeros(n, dtype=np.bool_),
        "surge_ratio": 0.1,
        "shares": Shares(nothing, nothing),
        **given,
    }
    return Situation(**values)
