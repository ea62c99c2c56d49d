"""Why a provider does not stand first in a decision, in a sentence and by groups of features."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from scoring.endpoint.scorer import Scorer
from scoring.gateway.code_words import ACTION_WORDS, EXCLUSION_WORDS, WORDS
from scoring.gateway.eligible import Evidence, Exclusion
from scoring.gateway.explain import GROUPS, Scored, differences, lower_chance, strongest_sentence
from scoring.gateway.messages import Cost, RecommendationRequest, WhyNot
from scoring.gateway.policy.ranking import Action
from scoring.gateway.served import Served
from scoring.gateway.wording import SAME_FOR_ALL, Group

COSTS_SAID = 2


def why_not(served: Served, provider_id: str, scorer: Scorer | None = None) -> WhyNot:
    """Say why a provider does not stand first; that it does, or was not considered, is said too.

    Args:
        served: The decision.
        provider_id: The provider.
        scorer: Explains those who were too far down to be explained, if its bundle made the scores.
    """
    if provider_id not in served.provider_ids:
        return _unranked(provider_id, _not_considered(served), None)
    row = served.provider_ids.index(provider_id)
    code = served.excluded[row]
    if code is not None:
        evidence = _evidence(served.request, served.excluded.evidence, row, code)
        distance = _distance(served, row)
        sentence = f"{distance}may not be sent: it {EXCLUSION_WORDS[code]}{evidence}"
        return _unranked(provider_id, sentence, code)
    if served.scored is None:
        raise AssertionError("a candidate who may be sent is scored")
    ranked = served.scored.provider_ids.index(provider_id)
    return _ranked(_explained(served.scored, ranked, scorer), ranked)


def _unranked(provider_id: str, sentence: str, code: Exclusion | None) -> WhyNot:
    return WhyNot(provider_id, f"{provider_id} {sentence}.", None, code, [], [])


def _not_considered(served: Served) -> str:
    if served.request.candidates is not None:
        return "was not considered: the request names its candidates, and it is not among them"
    return (
        f"was not considered: it is not among the {len(served.provider_ids)} nearest providers "
        "that the search found"
    )


def _distance(served: Served, row: int) -> str:
    location = served.request.location
    driver_km = served.excluded.evidence.driver_km(location.lat, location.lon)[row]
    return "" if np.isnan(driver_km) else f"is {driver_km:.1f} km away, but "


def _evidence(request: RecommendationRequest, seen: Evidence, row: int, code: Exclusion) -> str:
    """Return the values that an exclusion rests on, in brackets, where there are any."""
    say: dict[Exclusion, Callable[[], str]] = {
        Exclusion.VEHICLE_TOO_HEAVY: lambda: (
            f"class {seen.max_vehicle_class[row]:.0f} at most, it is of {request.vehicle_class}"
        ),
        Exclusion.OUTSIDE_CONTRACT_RADIUS: lambda: (
            f"{seen.radius_km[row]:.1f} km, the driver is {seen.base_km[row]:.1f} km from it"
        ),
        Exclusion.AVAILABILITY_STALE: lambda: f"last {seen.status_age_s[row]:.0f} s before",
        Exclusion.NO_FREE_CAPACITY: lambda: f"{seen.free_trucks[row]:.0f}",
        Exclusion.SHIFT_OVER: lambda: f"{seen.shift_left_min[row]:.0f} min left",
    }
    text = say[code]() if code in say else ""
    return f" ({text})" if text and "nan" not in text else ""


def _explained(scored: Scored, row: int, scorer: Scorer | None) -> Scored:
    """Return the candidates with contributions of the row and of the first."""
    if scorer is None or scorer.manifest.version != scored.scores.bundle_version:
        return scored
    rows = np.array([row, scored.ranking.order[0]])
    anew = scorer.score(scored.matrix[rows], explain_rows=len(rows))
    scores = replace(
        scored.scores,
        explained_rows=rows[anew.explained_rows],
        contributions=anew.contributions,
    )
    return replace(scored, scores=scores)


def _ranked(scored: Scored, row: int) -> WhyNot:
    order, actions = scored.ranking.order, scored.ranking.actions
    rank = int(np.flatnonzero(order == row)[0]) + 1
    first = int(order[0])
    costs = [] if row == first else _costs(scored, row, first)
    provider_id = scored.provider_ids[row]
    said = _first(actions[row]) if row == first else _behind(scored, row, first, costs)
    sentence = f"{provider_id} stands {'first' if rank == 1 else f'at rank {rank}'}{said}."
    return WhyNot(provider_id, sentence, rank, None, actions[row], costs)


def _first(actions: list[str]) -> str:
    moved = [ACTION_WORDS[action] for action in _MOVED_TO_FIRST if action in actions]
    return f": {'; '.join(moved)}" if moved else ""


_MOVED_TO_FIRST = (Action.CONTRACT_MINIMUM, Action.EXPLORED)


def _behind(scored: Scored, row: int, first: int, costs: list[Cost]) -> str:
    """Say what stands between a provider and the first place: policy, chance, features."""
    actions = scored.ranking.actions
    said = [WORDS[action] for action in actions[row]]
    said += [
        f"{scored.provider_ids[first]} was moved to the first place: {ACTION_WORDS[action]}"
        for action in _MOVED_TO_FIRST
        if action in actions[first]
    ]
    worse = lower_chance(scored, row, first)
    said += [worse] if worse else []
    against = [_cost(c) for c in costs if c.score > 0 and c.group not in SAME_FOR_ALL][:COSTS_SAID]
    said += [f"against it: {' and '.join(against)}"] if against else []
    return f": {'; '.join(said)}" if said else ""


def _cost(cost: Cost) -> str:
    says = f", {cost.says}" if cost.says else ""
    return f"{cost.group} ({cost.score:.2f} points{says})"


def _costs(scored: Scored, row: int, first: int) -> list[Cost]:
    """Return what each group costs the row against the first, the dearest first."""
    ours, theirs = scored.contributions(row), scored.contributions(first)
    by_group, of_first = scored.by_group(row), scored.by_group(first)
    if ours is None or theirs is None or by_group is None or of_first is None:
        return []
    known = scored.known(row)
    loss, gain = differences(theirs, ours), differences(ours, theirs)
    costs = []
    for group, cost in zip(GROUPS, differences(of_first, by_group), strict=True):
        says = strongest_sentence(group, loss if cost > 0 else gain, known)
        if group is Group.PROXIMITY:
            says = _minutes(scored, row, first)
        costs.append(Cost(group.value, round(cost, 4), says))
    return sorted(costs, key=lambda cost: -cost.score)


def _minutes(scored: Scored, row: int, first: int) -> str:
    minutes = np.rint(scored.scores.eta_p50_min)
    more = float(minutes[row] - minutes[first])
    text = f"{minutes[row]:.0f} min away"
    return f"{text}, {more:.0f} more than the first" if more >= 1 else text
