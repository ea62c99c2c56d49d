"""The seventh stage: why this provider, and why not the nearer one, in an operator's words."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from feature_repo.model_matrix import MODEL_FEATURES
from feature_repo.schema import STREAM_VIEWS
from scoring.endpoint.scorer import Scores
from scoring.gateway.messages import FeatureAge, NotChosen
from scoring.gateway.policy.ranking import Ranking
from scoring.gateway.read import CandidateTable
from scoring.gateway.wording import SENTENCES, Group, Values, group_of

REASONS = 3
_GROUPS = [group_of(name) for name in MODEL_FEATURES]
_AGE_FEATURES = {
    "provider_motion": "request_time__motion_age_s",
    "provider_availability": "request_time__availability_age_s",
    "cell_conditions": "request_time__conditions_age_s",
    "cell_demand": "request_time__demand_age_s",
}
_DISTANCE = MODEL_FEATURES.index("request_time__driver_distance_km")

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Scored:
    """What the explanations are made of: n candidates, f features."""

    table: CandidateTable
    matrix: Floats
    scores: Scores
    ranking: Ranking

    def contributions(self, row: int) -> Floats | None:
        """Return the row's contributions, float32 [f]; None where the scorer gave none."""
        at = np.flatnonzero(self.scores.explained_rows == row)
        return self.scores.contributions[at[0]] if len(at) else None

    def distance_km(self, row: int) -> float | None:
        """Return the row's distance to the driver, km; None where it is unknown."""
        distance = float(self.matrix[row, _DISTANCE])
        return None if np.isnan(distance) else distance

    def values(self, row: int) -> Values:
        """Return the row's known model features by name."""
        known = ~np.isnan(self.matrix[row])
        return {MODEL_FEATURES[i]: float(self.matrix[row, i]) for i in np.flatnonzero(known)}


def reasons(scored: Scored, row: int, rivals: npt.NDArray[np.intp]) -> list[str]:
    """Return the two or three things that speak most for a candidate.

    Args:
        scored: The request's candidates.
        row: The candidate.
        rivals: The other rows on the list, for "4 less than the next".
    """
    contributions = scored.contributions(row)
    values = scored.values(row)
    if contributions is None:
        return [_proximity(scored, row, rivals), "ranked by rule: soonest and most reliable first"]
    by_group = _by_group(contributions)
    best_first = sorted(by_group, key=lambda group: -by_group[group])
    spoken = [
        _sentence(scored, row, group, contributions, values, rivals)
        for group in best_first
        if by_group[group] > 0
    ]
    told = [sentence for sentence in spoken if sentence][:REASONS]
    return told or [_proximity(scored, row, rivals)]


def why_not_nearer(scored: Scored) -> NotChosen | None:
    """Say why the nearest candidate does not stand first; None where it does."""
    distances = scored.matrix[:, _DISTANCE]
    if np.isnan(distances).all():
        return None
    first, nearest = int(scored.ranking.order[0]), int(np.nanargmin(distances))
    if nearest == first:
        return None
    chance = scored.scores.success_probability
    provider_id = scored.table.provider_ids[nearest]
    saved_km = float(distances[first] - distances[nearest])
    sentence = f"{provider_id} is {_known_km(saved_km)}nearer"
    if chance[nearest] < chance[first]:
        sentence += f", but its chance of success is {chance[nearest]:.0%}, not {chance[first]:.0%}"
    against = _what_speaks_against(scored, nearest, first)
    rank = int(np.flatnonzero(scored.ranking.order == nearest)[0]) + 1
    return NotChosen(provider_id, rank, f"{sentence}: {against}" if against else sentence)


def feature_ages(scored: Scored, row: int) -> tuple[FeatureAge | None, FeatureAge | None]:
    """Return the freshest and the stalest stream view of a candidate; None where all are absent."""
    values = scored.values(row)
    ages = [
        FeatureAge(view.name, round(values[_AGE_FEATURES[view.name]], 1))
        for view in STREAM_VIEWS
        if _AGE_FEATURES[view.name] in values
    ]
    by_age = sorted(ages, key=lambda age: age.age_s)
    return (by_age[0], by_age[-1]) if by_age else (None, None)


def _known_km(saved_km: float) -> str:
    return "" if np.isnan(saved_km) else f"{saved_km:.1f} km "


def _by_group(contributions: Floats) -> dict[Group, float]:
    totals: dict[Group, float] = {}
    for group, contribution in zip(_GROUPS, contributions, strict=True):
        totals[group] = totals.get(group, 0.0) + float(contribution)
    return totals


def _sentence(  # noqa: PLR0913, PLR0917 - what a sentence is made of
    scored: Scored,
    row: int,
    group: Group,
    contributions: Floats,
    values: Values,
    rivals: npt.NDArray[np.intp],
) -> str | None:
    if group is Group.PROXIMITY:
        return _proximity(scored, row, rivals)
    return _strongest_sentence(group, contributions, values)


def _strongest_sentence(group: Group, contributions: Floats, values: Values) -> str | None:
    """Word the group's feature that adds most, of those that are known and can be worded."""
    for index in np.argsort(-contributions):
        name = MODEL_FEATURES[index]
        if _GROUPS[index] is group and name in SENTENCES and name in values:
            return SENTENCES[name](name, values)
    return None


def _proximity(scored: Scored, row: int, rivals: npt.NDArray[np.intp]) -> str:
    minutes = scored.scores.eta_p50_min
    text = f"{minutes[row]:.0f} min away"
    others = rivals[rivals != row]
    if not len(others):
        return text
    gap = float(minutes[others].min() - minutes[row])
    return f"{text}, {gap:.0f} less than the next" if gap >= 1 else text


def _what_speaks_against(scored: Scored, row: int, first: int) -> str | None:
    """Word what costs the candidate most in comparison with the first."""
    ours, theirs = scored.contributions(row), scored.contributions(first)
    if ours is None or theirs is None:
        return None
    loss = theirs - ours
    by_group = _by_group(loss)
    values = scored.values(row)
    for group in sorted(by_group, key=lambda g: -by_group[g]):
        if by_group[group] <= 0:
            return None
        sentence = _strongest_sentence(group, loss, values)
        if sentence:
            return sentence
    return None
