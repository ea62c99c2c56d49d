"""What was found, in words: the first page of the report."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from feature_repo.schema import STREAM_VIEWS
from training.evaluation import importance, verdicts
from training.evaluation.intervals import Estimate
from training.evaluation.measures import METRICS
from training.evaluation.results import INCUMBENT, MODEL, SIMPLER, Results
from training.evaluation.rules import RULES
from training.tuning import describe

GOOD, BAD, OPEN = "good", "bad", "open"
_SEGMENTS_NAMED = 4
_MODELS = {
    INCUMBENT: "what serves today",
    SIMPLER: "a logistic regression on five features",
}
_AIMED_COVERAGE = METRICS["eta_p90_coverage"].aim


@dataclass(frozen=True)
class Finding:
    """One sentence or two, and whether it is good news, bad news or neither."""

    kind: str
    text: str


def findings(results: Results) -> list[Finding]:
    """Return what a reader should know first."""
    return [
        *_against_rules(results),
        *_against_models(results),
        _calibration(results),
        *_arrival(results),
        _segments(results),
        _importance(results),
        *_ablation(results),
        *_limits(results),
        *_tuning(results),
    ]


def _against_rules(results: Results) -> Iterator[Finding]:
    metric = results.decisive
    model = results.contenders[MODEL][metric]
    title = METRICS[metric].title
    for rule in RULES:
        gained = results.model_less[rule][metric]
        other = results.contenders[rule][metric].value
        yield Finding(
            _kind(gained.sign),
            f"Against the rule “{rule.replace('_', ' ')}” ({other:.1%}) the model "
            f"({model.value:.1%}) {_gains(gained)} in {title}.",
        )


def _against_models(results: Results) -> Iterator[Finding]:
    for name, title in _MODELS.items():
        if name in results.model_less:
            yield _against_model(results, name, title)


def _against_model(results: Results, name: str, title: str) -> Finding:
    gained = results.model_less[name]
    metric = results.decisive
    text = f"Against {title} the model {_gains(gained[metric])} in {METRICS[metric].title}"
    verdict = verdicts.of(gained)
    better, worse = (
        ", ".join(METRICS[name].title for name in names)
        for names in (verdict.better, verdict.worse)
    )
    text += f"; it is measurably better in: {better or 'nothing'}; worse in: {worse or 'nothing'}."
    kinds = {"better": GOOD, "worse": BAD, "mixed": OPEN, "undecided": BAD}
    return Finding(kinds[verdict.word], text)


def _calibration(results: Results) -> Finding:
    curve, bias = results.calibration, results.contenders[MODEL]["success_bias"]
    right = curve.error <= curve.error_if_right
    way = {1: "too high", -1: "too low", 0: "neither too high nor too low"}[bias.sign]
    return Finding(
        GOOD if right else BAD,
        f"Chances of success are off by {curve.error:.1%} on average (calibration error); right "
        f"chances would stay below {curve.error_if_right:.1%} by luck. On the whole they are {way} "
        f"({_points(bias)}).",
    )


def _arrival(results: Results) -> Iterator[Finding]:
    model = results.contenders[MODEL]
    gained = results.model_less["lowest_eta"]["eta_mae_min"]
    formula = results.contenders["lowest_eta"]["eta_mae_min"].value
    yield Finding(
        _kind(-gained.sign),
        f"Minutes to arrival are off by {model['eta_mae_min'].value:.1f} on average, the formula's "
        f"by {formula:.1f}. They are {_early_or_late(model['eta_bias_min'])}.",
    )
    covered = model["eta_p90_coverage"]
    holds = covered.low <= _AIMED_COVERAGE <= covered.high
    side = "as it should" if holds else "too few" if covered.high < _AIMED_COVERAGE else "too many"
    yield Finding(
        GOOD if holds else BAD,
        f"{covered.value:.1%} ({covered.low:.1%} to {covered.high:.1%}) arrive within the minutes "
        f"that nine of ten should: {side}.",
    )


def _segments(results: Results) -> Finding:
    large = [segment for segment in results.segments if not segment.small]
    worse = sorted((s for s in large if s.worse), key=lambda s: -len(s.worse))
    named = "; ".join(
        f"{s.dimension} {s.name} ({', '.join(METRICS[name].title for name in s.worse)})"
        for s in worse[:_SEGMENTS_NAMED]
    )
    rest = len(worse) - _SEGMENTS_NAMED
    if rest > 0:
        named += f"; {rest} more below"
    text = (
        f"{len(worse)} of {len(large)} segments of enough events are measurably worse than all "
        f"events together in some metric{': ' if named else ''}{named}. Of so many comparisons a "
        f"few differ by luck. {len(results.segments) - len(large)} segments are too small to tell."
    )
    return Finding(OPEN if worse else GOOD, text)


def _importance(results: Results) -> Finding:
    views = importance.by_view(results.importance)
    told = ", ".join(f"{view.name} {view.shap:.0%}" for view in views[:3])
    first = results.importance[0].name
    return Finding(OPEN, f"Scores move most by {told} (mean |SHAP|); first by {first}.")


def _ablation(results: Results) -> Iterator[Finding]:
    if results.ablation is None:
        return
    words = {each.group: verdicts.of(each.gained).word for each in results.ablation}
    for word, kind, text in (
        ("better", GOOD, "Measurably worth having"),
        ("undecided", OPEN, "Without measurable gain on these events"),
        ("mixed", OPEN, "Better in some metrics and worse in others"),
        ("worse", BAD, "Measurably harmful"),
    ):
        groups = [group for group, found in words.items() if found == word]
        if groups:
            yield Finding(kind, f"{text}: {', '.join(groups)}.")


def _limits(results: Results) -> Iterator[Finding]:
    for view in STREAM_VIEWS:
        if results.staleness is not None and view.max_age_s is not None:
            text = verdicts.of_limit(view, results.staleness)
            yield Finding(BAD if "NOT" in text else GOOD if "is justified" in text else OPEN, text)


def _tuning(results: Results) -> Iterator[Finding]:
    if results.tuning is not None:
        yield Finding(OPEN, f"Hyper-parameters: {describe(results.tuning)} (calibrate split).")


def _kind(sign: int) -> str:
    return {1: GOOD, 0: OPEN, -1: BAD}[sign]


def _gains(gained: Estimate) -> str:
    if not np.isfinite(gained.value):
        return "cannot be compared"
    how = {1: "is better by", -1: "is WORSE by", 0: "is not measurably different:"}[gained.sign]
    value = gained.value if gained.sign >= 0 else -gained.value
    low, high = sorted(
        (gained.low, gained.high) if gained.sign >= 0 else (-gained.low, -gained.high)
    )
    return f"{how} {100 * value:.1f} points ({100 * low:.1f} to {100 * high:.1f})"


def _points(bias: Estimate) -> str:
    return f"{100 * bias.value:+.1f} points, {100 * bias.low:+.1f} to {100 * bias.high:+.1f}"


def _early_or_late(bias: Estimate) -> str:
    if not bias.sign:
        return "neither too short nor too long on the whole"
    way = "long" if bias.value > 0 else "short"
    return f"too {way} by {abs(bias.value):.1f} min on the whole"
