"""From intervals to words: better, worse, or nothing that these events can tell."""

from collections.abc import Sequence
from dataclasses import dataclass

from feature_repo.schema import ViewSchema
from training.evaluation.measures import METRICS
from training.evaluation.results import Measured
from training.evaluation.staleness import Staleness

JUDGED = ("true_success_at_1", "ndcg_at_1", "ndcg_at_5", "success_brier", "eta_mae_min")
"""The metrics that decide: each has a better side."""


@dataclass(frozen=True)
class Verdict:
    """Which metrics a change made better and which worse, by intervals that leave out zero."""

    better: tuple[str, ...]
    worse: tuple[str, ...]

    @property
    def word(self) -> str:
        """``better``, ``worse``, ``mixed``, or ``undecided`` where no interval leaves out zero."""
        if self.better and self.worse:
            return "mixed"
        return "better" if self.better else "worse" if self.worse else "undecided"


def of(difference: Measured) -> Verdict:
    """Return what a difference of metrics means."""
    signs = {name: METRICS[name].better * difference[name].sign for name in JUDGED}
    return Verdict(
        tuple(name for name, sign in signs.items() if sign > 0),
        tuple(name for name, sign in signs.items() if sign < 0),
    )


def of_limit(view: ViewSchema, found: Sequence[Staleness]) -> str:
    """Return what the delays beyond a view's ``max_age_s`` say about it, as a sentence."""
    assert view.max_age_s is not None
    limit = f"{view.name}: the limit of {view.max_age_s:.0f} s"
    beyond = [s for s in found if s.view == view.name and s.delay_min * 60 >= view.max_age_s]
    words = {s.delay_min: of(s.kept_less_limited).word for s in beyond}
    if set(words.values()) == {"undecided"}:
        return f"{limit} is not decided by this archive: no metric differs measurably either way."
    told = "; ".join(f"at {delay:.0f} min {_LIMIT_WORDS[word]}" for delay, word in words.items())
    first = next(iter(words.values()))
    summary = {
        "worse": "is justified",
        "better": "is NOT justified by these curves",
        "mixed": "is right for some metrics and wrong for others",
        "undecided": "is not decided just beyond it",
    }[first]
    return f"{limit} {summary}: {told}."


_LIMIT_WORDS = {
    "worse": "the old value is worse than none",
    "better": "the old value is still better than none",
    "mixed": "the old value is better than none for some metrics and worse for others",
    "undecided": "the two cannot be told apart",
}
