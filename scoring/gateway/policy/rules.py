"""The rules beyond the model: what a policy file may say, and in which ranges."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from feature_repo.schema import PROVIDER_AVAILABILITY, PROVIDER_MOTION

_Share = Annotated[float, Meta(ge=0, le=1)]
_Tier = Annotated[int, Meta(ge=1, le=9)]


class Freshness(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How old what is known of a provider may be, in seconds.

    At most the ages at which the features themselves become unknown (``feature_repo.schema``):
    what the model does not see any more, no rule can bring back.

    Attributes:
        availability_max_age_s: A provider that has not told its state for longer may not be sent.
        position_max_age_s: Beyond it a position counts as unknown.
        position_unknown: A provider whose position is unknown stands ``behind`` all others, or is
            left out (``exclude``).
    """

    availability_max_age_s: Annotated[float, Meta(gt=0, le=PROVIDER_AVAILABILITY.max_age_s)]
    position_max_age_s: Annotated[float, Meta(gt=0, le=PROVIDER_MOTION.max_age_s)]
    position_unknown: Literal["behind", "exclude"]


class Capacity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a provider must have left to be sent.

    Attributes:
        free_trucks: At least so many trucks free.
        shift_minutes_left: At least so many minutes until the shift ends.
    """

    free_trucks: Annotated[int, Meta(ge=1, le=100)]
    shift_minutes_left: Annotated[float, Meta(ge=0, le=480)]


class Spillover(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Contract tiers that are for when the others do not suffice.

    Attributes:
        from_tier: Tiers of this number and above stand behind the others whose chance of success
            is within the policy's ``max_chance_cost`` of the best ...
        unless_fewer_others: ... unless fewer than so many others may be sent ...
        unless_surge_ratio: ... or the surge is this high: open requests in the driver's cell over
            available candidates, each plus one, as in the feature ``surge_ratio``.
    """

    from_tier: _Tier
    unless_fewer_others: Annotated[int, Meta(ge=0, le=1000)]
    unless_surge_ratio: Annotated[float, Meta(gt=0)]


class ContractMinimum(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """First places that contracts guarantee.

    A share is that of the decisions of the window in which the tier (provider) could be sent.

    Attributes:
        tier_shares: Contract tiers to the least share of first places.
        provider_shares: Provider ids to the least share of first places.
    """

    tier_shares: dict[_Tier, _Share] = {}
    provider_shares: dict[str, _Share] = {}


class Fairness(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Work is spread: whoever stood first very often lately gets a small handicap.

    A handicap is 0 up to the allowed share, and grows evenly to its cap at twice that share. It is
    counted in standard deviations of the scores of the request's candidates.

    Attributes:
        provider_share: Share of first places that a provider may have without a handicap.
        tier_shares: The same for contract tiers; a tier that is not named has no limit.
        handicap_cap: The largest handicap, provider and tier together.
    """

    provider_share: Annotated[float, Meta(gt=0, le=1)]
    handicap_cap: Annotated[float, Meta(ge=0, le=2)]
    tier_shares: dict[_Tier, Annotated[float, Meta(gt=0, le=1)]] = {}


class Exploration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often chance decides who stands first, so that outcomes are learnt of.

    Attributes:
        share: In this share of the decisions ...
        among: ... one of the first so many stands first, drawn evenly.
    """

    share: Annotated[float, Meta(ge=0, le=0.2)]
    among: Annotated[int, Meta(ge=1, le=20)]


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rules beyond the model.

    Attributes:
        version: Named in every answer; another one with every change.
        blocklist: Provider ids never sent, to why.
        window_min: Over how many minutes shares of first places are counted: a decision counts
            e^-1 of a new one after so long.
        max_chance_cost: The chance of success that spillover, contract minimum, fairness and
            exploration may cost a driver at most, together: whoever they put first has at most so
            much less than the model's own first.
    """

    version: Annotated[str, Meta(min_length=1, max_length=64)]
    freshness: Freshness
    capacity: Capacity
    spillover: Spillover
    window_min: Annotated[float, Meta(ge=1, le=1440)]
    max_chance_cost: Annotated[float, Meta(ge=0, le=0.5)]
    contract_minimum: ContractMinimum
    fairness: Fairness
    exploration: Exploration
    blocklist: dict[str, Annotated[str, Meta(min_length=1)]] = {}
