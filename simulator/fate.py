"""What becomes of an offer, from the draws alone: played by the desk, and asked as a what-if.

Everything after the offer is settled by the draws of its request and provider. So the same
function tells what did happen and what would have happened to a candidate who was not asked.
"""

from dataclasses import dataclass
from typing import Literal

from simulator.journal import Decision
from simulator.outcomes import satisfaction_score

DECIDE_S = 3.0
"""From the request to the first offer."""
NO_ANSWER_S = 90.0

End = Literal["declined", "failed", "driver_left", "completed"]


@dataclass(frozen=True)
class Fate:
    """What becomes of one offer; epoch seconds, None where it does not happen.

    Attributes:
        end: How it ends.
        answered_s: When the provider answers, or the desk stops waiting.
        silent: Whether the provider does not even decline.
        leaves_s: When the truck rolls.
        arrives_s: When it would be there, whether or not the job lasts as long.
        ended_s: When the job is completed, given up, or the driver leaves.
        score: What the driver says, 1 to 5.
        scored_s: When.
        success: Accepted, completed, and there within the promised time of the offer.
    """

    end: End
    answered_s: float
    silent: bool = False
    leaves_s: float | None = None
    arrives_s: float | None = None
    ended_s: float | None = None
    score: int | None = None
    scored_s: float | None = None
    success: bool = False


def fate_of(decision: Decision, position: int, offered_s: float | None = None) -> Fate:
    """Return what would become of an offer to one candidate of a decision.

    The provider is taken to be as free at the answer as it was at the decision. In the played
    world it may have gone home or taken another job by then; so this differs from what was played
    for a late offer, and hardly ever for the first one.

    Args:
        decision: Of a world's journal.
        position: Which candidate.
        offered_s: When it is asked, epoch seconds; none is when the first offer goes out.
    """
    draws, request = decision.draws, decision.request
    asked_s = request.time_s + DECIDE_S if offered_s is None else offered_s
    accepts = bool(draws.accepts[position])
    answers = accepts or bool(draws.answers[position])
    answered_s = asked_s + (float(draws.response_s[position]) if answers else NO_ANSWER_S)
    if not accepts:
        return Fate("declined", answered_s, silent=not answers)
    leaves_s = answered_s + 60 * float(draws.mobilise_min[position])
    arrives_s = leaves_s + 60 * float(draws.drive_min[position])
    patience_s = max(answered_s, request.time_s + 60 * request.patience_minutes)
    if not draws.completes[position]:
        fails_s = answered_s + (arrives_s - answered_s) * float(draws.fails_at_share[position])
        return Fate("failed", answered_s, False, leaves_s, arrives_s, fails_s)
    if arrives_s > patience_s:
        return Fate("driver_left", answered_s, False, leaves_s, arrives_s, patience_s)
    done_s = arrives_s + 60 * float(draws.on_scene_min[position])
    minutes_late = (arrives_s - asked_s) / 60 - request.promised_minutes
    score = scored_s = None
    if draws.satisfaction_answered[position]:
        base = float(decision.choice.truth.prospects.satisfaction_base[position])
        score = satisfaction_score(base, minutes_late, float(draws.satisfaction_noise[position]))
        scored_s = done_s + 60 * float(draws.satisfaction_delay_min[position])
    return Fate(
        "completed", answered_s, False, leaves_s, arrives_s, done_s, score, scored_s,
        success=minutes_late <= 0,
    )  # fmt: skip
