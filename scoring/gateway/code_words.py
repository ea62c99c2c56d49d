"""The codes of the answers in words: why somebody may not be sent, and what the policy did."""

from scoring.gateway.eligible import Exclusion
from scoring.gateway.policy.ranking import Action

EXCLUSION_WORDS: dict[Exclusion, str] = {
    Exclusion.BLOCKED: "is on the policy's blocklist",
    Exclusion.PROFILE_UNKNOWN: "has no profile: it is not under contract, or not known here yet",
    Exclusion.SERVICE_NOT_OFFERED: "does not offer this service by contract",
    Exclusion.VEHICLE_TOO_HEAVY: "does not serve so heavy a vehicle by contract",
    Exclusion.OUTSIDE_CONTRACT_RADIUS: "is not under contract so far from its base",
    Exclusion.AVAILABILITY_UNKNOWN: "has not told its state",
    Exclusion.AVAILABILITY_STALE: "has not told its state for too long",
    Exclusion.OFFLINE: "says that it is offline",
    Exclusion.NO_FREE_CAPACITY: "has too few trucks free",
    Exclusion.SHIFT_OVER: "ends its shift too soon, or has ended it",
    Exclusion.POSITION_UNKNOWN: "has no position that is known and new enough",
}
"""What follows the provider's name."""

ACTION_WORDS: dict[Action, str] = {
    Action.POSITION_UNKNOWN: "its position is unknown or too old, so it stands behind the others",
    Action.SPILLOVER: "its contract tier stands behind the others while those suffice",
    Action.FAIRNESS: "it stood first more often lately than its share, so it has a handicap",
    Action.CONTRACT_MINIMUM: "a contract guarantees it a share of first places that it had not",
    Action.EXPLORED: "it was drawn to stand first, so that its outcomes are learnt of",
}
"""A sentence about the provider."""

WORDS: dict[str, str] = {
    **{code.value: words for code, words in EXCLUSION_WORDS.items()},
    **{code.value: words for code, words in ACTION_WORDS.items()},
}
