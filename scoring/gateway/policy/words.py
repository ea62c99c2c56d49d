"""A policy in words, for who answers for it."""

from collections.abc import Iterator

from scoring.gateway.policy.rules import Policy


def in_words(policy: Policy) -> list[str]:
    """Return what the policy does, a sentence a rule."""
    return [
        f"Policy {policy.version}.",
        *_freshness(policy),
        *_capacity(policy),
        *_blocklist(policy),
        _spillover(policy),
        *_shares(policy),
        _exploration(policy),
        f"Spillover, fairness, contract minimum and exploration put nobody first whose chance of "
        f"success is more than {_points(policy.max_chance_cost)} below that of the model's first.",
    ]


def _freshness(policy: Policy) -> Iterator[str]:
    rule = policy.freshness
    yield (
        f"A provider that has not told its state for {rule.availability_max_age_s:g} s "
        "may not be sent."
    )
    then = {"behind": "stands behind all others", "exclude": "may not be sent"}
    yield (
        f"One whose position is unknown, or older than {rule.position_max_age_s:g} s, "
        f"{then[rule.position_unknown]}."
    )


def _capacity(policy: Policy) -> Iterator[str]:
    rule = policy.capacity
    trucks = "no truck" if rule.free_trucks == 1 else f"fewer than {rule.free_trucks} trucks"
    yield f"Whoever has {trucks} free may not be sent."
    yield (
        f"Nor may one whose shift ends within {rule.shift_minutes_left:g} min."
        if rule.shift_minutes_left
        else "Nor may one whose shift is over."
    )


def _blocklist(policy: Policy) -> Iterator[str]:
    for provider_id, why in policy.blocklist.items():
        yield f"{provider_id} is never sent: {why}."


def _spillover(policy: Policy) -> str:
    rule = policy.spillover
    return (
        f"Contract tiers from {rule.from_tier} on stand behind the others whose chance of success "
        f"is within {_points(policy.max_chance_cost)} of the best, unless fewer than "
        f"{rule.unless_fewer_others} others may be sent, or the surge ratio is "
        f"{rule.unless_surge_ratio:g} or more."
    )


def _shares(policy: Policy) -> Iterator[str]:
    minimum, fairness = policy.contract_minimum, policy.fairness
    window = f"the decisions of about the last {policy.window_min:g} min in which it could be sent"
    for tier, share in minimum.tier_shares.items():
        yield f"Contract tier {tier} stands first in at least {share:.0%} of {window}."
    for provider_id, share in minimum.provider_shares.items():
        yield f"{provider_id} stands first in at least {share:.0%} of {window}."
    yield (
        f"A provider that stands first in more than {fairness.provider_share:.0%} of {window} "
        f"gets a handicap, of at most {fairness.handicap_cap:g} standard deviations of the scores."
    )
    for tier, share in fairness.tier_shares.items():
        yield f"So does everyone of contract tier {tier} beyond {share:.0%}."


def _exploration(policy: Policy) -> str:
    rule = policy.exploration
    if not rule.share or rule.among == 1:
        return "Nothing is explored: the outcomes of providers never put first stay unknown."
    return (
        f"In {rule.share:.1%} of the decisions one of the first {rule.among}, drawn evenly, "
        "stands first."
    )


def _points(share: float) -> str:
    return f"{share * 100:g} percentage points"
