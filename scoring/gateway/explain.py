"""The seventh stage: why this provider, and why not the nearer one, in an operator's words."""

import math
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from feature_repo.model_matrix import MODEL_FEATURES
from feature_repo.schema import STREAM_VIEWS
from scoring.endpoint.scorer import Scores
from scoring.gateway.code_words import WORDS
from scoring.gateway.messages import FeatureAge, NotChosen
from scoring.gateway.policy.ranking import Ranking
from scoring.gateway.wording import SENTENCES, Group, Known, group_of

REASONS = 3
RULE_REASON = "ranked by rule: soonest and most reliable first"

_AGE_FEATURES = {
    "provider_motion": "request_time__motion_age_s",
    "provider_availability": "request_time__availability_age_s",
    "cell_conditions": "request_time__conditions_age_s",
    "cell_demand": "request_time__demand_age_s",
}
_DISTANCE = MODEL_FEATURES.index("request_time__driver_distance_km")

GROUPS = tuple(Group)
_GROUP_SUMS = np.array(
    [[group_of(name) is group for group in GROUPS] for name in MODEL_FEATURES], dtype=np.float64
)
"""Contributions [k, f] times this are contributions by group [k, groups]."""
_WORDED: dict[Group, list[int]] = {
    group: [
        i for i, name in enumerate(MODEL_FEATURES) if group_of(name) is group and name in SENTENCES
    ]
    for group in GROUPS
}
"""By group the features that have a sentence."""

Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Scored:
    """What the explanations are made of: n candidates, f features.

    Attributes:
        provider_ids: Of the n candidates.
        matrix: What the model saw, float32 [n, f].
        scores: What it said.
        ranking: What the policy made of it.
    """

    provider_ids: list[str]
    matrix: Floats
    scores: Scores
    ranking: Ranking

    @cached_property
    def distances_km(self) -> Floats:
        """Distance of each candidate to the driver, float32 [n], NaN where unknown."""
        return self.matrix[:, _DISTANCE]

    @cached_property
    def _explained(self) -> dict[int, int]:
        rows: list[int] = self.scores.explained_rows.tolist()
        return {row: position for position, row in enumerate(rows)}

    @cached_property
    def _by_group(self) -> list[list[float]]:
        sums: list[list[float]] = (self.scores.contributions @ _GROUP_SUMS).tolist()
        return sums

    def contributions(self, row: int) -> list[float] | None:
        """Return what each of the f features added to the row's score; None where not explained."""
        position = self._explained.get(row)
        return None if position is None else self.scores.contributions[position].tolist()

    def by_group(self, row: int) -> list[float] | None:
        """Return what each of ``GROUPS`` added to the row's score; None where not explained."""
        position = self._explained.get(row)
        return None if position is None else self._by_group[position]

    def known(self, row: int) -> Known:
        """Return what is known of a candidate."""
        return Known(self.matrix[row].tolist())


def reasons(scored: Scored, row: int, known: Known, others_min: float) -> list[str]:
    """Return up to three things that speak for a candidate, the strongest first.

    Args:
        scored: The request's candidates.
        row: The candidate.
        known: What is known of it.
        others_min: Rounded minutes of the soonest of the others on the list.
    """
    proximity = minutes_away(scored, row, others_min)
    contributions, by_group = scored.contributions(row), scored.by_group(row)
    if contributions is None or by_group is None:
        return [proximity, RULE_REASON]
    said: list[str] = []
    for group in _strongest(by_group):
        sentence = (
            proximity
            if group is Group.PROXIMITY
            else strongest_sentence(group, contributions, known)
        )
        if sentence:
            said.append(sentence)
        if len(said) == REASONS:
            break
    return said or [proximity]


def minutes_away(scored: Scored, row: int, others_min: float) -> str:
    """Word the minutes to arrival, and how many less than those of the soonest other they are."""
    minutes = round(float(scored.scores.eta_p50_min[row]))
    gap = others_min - minutes
    text = f"{minutes} min away"
    return f"{text}, {gap:.0f} less than the next" if 1 <= gap < math.inf else text


def soonest_others(scored: Scored, shown: Indices) -> list[float]:
    """Return for each row shown the rounded minutes of the soonest other one; infinite for none."""
    minutes = np.rint(scored.scores.eta_p50_min[shown])
    if len(shown) == 1:
        return [math.inf]
    first, second = np.argpartition(minutes, 1)[:2].tolist()
    others = np.full(len(shown), minutes[first])
    others[first] = minutes[second]
    soonest: list[float] = others.tolist()
    return soonest


def strongest_sentence(group: Group, contributions: list[float], known: Known) -> str | None:
    """Word the feature of a group that adds most, of those that add something and can be worded."""
    adding = [index for index in _WORDED[group] if contributions[index] > 0]
    for index in sorted(adding, key=contributions.__getitem__, reverse=True):
        sentence = SENTENCES[MODEL_FEATURES[index]](known)
        if sentence:
            return sentence
    return None


def why_not_nearer(scored: Scored) -> NotChosen | None:
    """Say why the nearest candidate does not stand first; None where it does."""
    distances = scored.distances_km
    first, nearest = int(scored.ranking.order[0]), int(np.fmin(distances, math.inf).argmin())
    if nearest == first or np.isnan(distances[nearest]):
        return None
    saved_km = float(distances[first] - distances[nearest])
    worse = lower_chance(scored, nearest, first)
    held_back = [WORDS[code] for code in scored.ranking.actions[nearest]]
    against = [] if held_back else _against(scored, nearest, first)
    but = [*([worse] if worse else []), *held_back, *against]
    sentence = f"{scored.provider_ids[nearest]} is {_nearer_by(saved_km)}"
    return NotChosen(
        provider_id=scored.provider_ids[nearest],
        rank=int(np.flatnonzero(scored.ranking.order == nearest)[0]) + 1,
        sentence=f"{sentence}, but {'; '.join(but)}" if but else sentence,
    )


def lower_chance(scored: Scored, row: int, than: int) -> str | None:
    """Word that a candidate's chance of success is lower than another's; None if it is not."""
    chance = [f"{scored.scores.success_probability[at]:.0%}" for at in (row, than)]
    lower = scored.scores.success_probability[row] < scored.scores.success_probability[than]
    if not lower or chance[0] == chance[1]:
        return None
    return f"its chance of success is {chance[0]}, not {chance[1]}"


def feature_ages(known: Known) -> tuple[FeatureAge | None, FeatureAge | None]:
    """Return the freshest and the stalest stream view of a candidate; None where all are absent."""
    ages = [
        FeatureAge(view.name, round(age_s, 1))
        for view in STREAM_VIEWS
        if (age_s := known.get(_AGE_FEATURES[view.name])) is not None
    ]
    by_age = sorted(ages, key=lambda age: age.age_s)
    return (by_age[0], by_age[-1]) if by_age else (None, None)


def _nearer_by(saved_km: float) -> str:
    told = not np.isnan(saved_km) and round(saved_km, 1) > 0
    return f"{saved_km:.1f} km nearer" if told else "nearer"


def _strongest(by_group: list[float]) -> list[Group]:
    """Return the groups that add something, the one that adds most first."""
    adding = [(added, group) for added, group in zip(by_group, GROUPS, strict=True) if added > 0]
    return [group for _, group in sorted(adding, key=itemgetter(0), reverse=True)]


def _against(scored: Scored, row: int, first: int) -> list[str]:
    """Word what costs the candidate most in comparison with the first; nothing if nothing does."""
    ours, theirs = scored.contributions(row), scored.contributions(first)
    if ours is None or theirs is None:
        return []
    loss, known = differences(theirs, ours), scored.known(row)
    by_group: list[float] = (np.array(loss) @ _GROUP_SUMS).tolist()
    for group in _strongest(by_group):
        sentence = strongest_sentence(group, loss, known)
        if sentence:
            return [f"against it: {group.value} ({sentence})"]
    return []


def differences(theirs: list[float], ours: list[float]) -> list[float]:
    """Return by feature how much more it added to another's score."""
    return [their - our for their, our in zip(theirs, ours, strict=True)]
