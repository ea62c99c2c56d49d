"""The metrics: what each adds up in an event, for anything that ranks or predicts."""

from dataclasses import dataclass

import numpy as np

from training.evaluation.cases import TRUTH, Cases, Predictions
from training.evaluation.intervals import EventSums, Floats
from training.evaluation.ranking import can_be_wrong, first_choices, ndcg


@dataclass(frozen=True)
class Metric:
    """How a metric reads.

    Attributes:
        title: For a table's head.
        unit: Of its value.
        better: 1 where higher is better, -1 where lower is, 0 where ``aim`` is best.
        aim: The best value.
    """

    title: str
    unit: str
    better: int
    aim: float


METRICS = {
    "true_success_at_1": Metric("True success of first choice", "share", 1, 1.0),
    "ndcg_at_1": Metric("NDCG@1", "0 to 1", 1, 1.0),
    "ndcg_at_5": Metric("NDCG@5", "0 to 1", 1, 1.0),
    "success_rate": Metric("Success of offers", "share", 0, float("nan")),
    "success_brier": Metric("Brier score", "0 to 1", -1, 0.0),
    "success_bias": Metric("Chance bias", "share", 0, 0.0),
    "eta_mae_min": Metric("Arrival error", "min", -1, 0.0),
    "eta_bias_min": Metric("Arrival bias", "min", 0, 0.0),
    "eta_p90_coverage": Metric("Arrivals within the p90", "share", 0, 0.9),
}
"""In the order in which they are shown."""

Part = tuple[Floats, Floats]


def event_sums(cases: Cases, said: Predictions) -> EventSums:
    """Return each metric's sums by event; what cannot be measured divides by zero events."""
    parts = {**_truth(cases, said), **_ranking(cases, said), **_chance(cases, said)}
    return EventSums.of({**parts, **_arrival(cases, said)})


def _truth(cases: Cases, said: Predictions) -> dict[str, Part]:
    whole = whole_events(cases)
    if TRUTH not in cases.rows:
        return {"true_success_at_1": _nothing(cases)}
    truth = cases.rows[TRUTH].to_numpy(dtype=np.float64)
    chosen = truth[first_choices(cases.event, said.score, cases.events)]
    return {"true_success_at_1": (np.where(whole, chosen, 0.0), whole)}


def whole_events(cases: Cases) -> Floats:
    """Return 1 for each event of which also candidates without an offer are there, float64 [E]."""
    return (cases.of_event((~cases.labelled).astype(np.float64)) > 0).astype(np.float64)


def _ranking(cases: Cases, said: Predictions) -> dict[str, Part]:
    labelled = cases.labelled
    event, score = cases.event[labelled], said.score[labelled]
    grade = cases.rows["grade"].to_numpy(dtype=np.float64)[labelled]
    counts = can_be_wrong(event, grade, cases.events)
    return {
        f"ndcg_at_{at}": (
            np.where(counts, ndcg(event, grade, score, cases.events, at), 0.0),
            counts.astype(np.float64),
        )
        for at in (1, 5)
    }


def _chance(cases: Cases, said: Predictions) -> dict[str, Part]:
    labelled = cases.labelled.astype(np.float64)
    happened = successes(cases)
    offers = cases.of_event(labelled)
    rate = {"success_rate": (cases.of_event(happened), offers)}
    if said.chance is None:
        return {**rate, "success_brier": _nothing(cases), "success_bias": _nothing(cases)}
    gap = (said.chance - happened) * labelled
    return {
        **rate,
        "success_brier": (cases.of_event(gap**2), offers),
        "success_bias": (cases.of_event(gap), offers),
    }


def successes(cases: Cases) -> Floats:
    """Return 1 for each labelled row that was a success, else 0, float64 [n]."""
    happened = cases.rows["success"].eq(True).to_numpy(dtype=np.float64)
    return np.where(cases.labelled, happened, 0.0)


def _arrival(cases: Cases, said: Predictions) -> dict[str, Part]:
    if said.minutes is None:
        names = ("eta_mae_min", "eta_bias_min", "eta_p90_coverage")
        return {name: _nothing(cases) for name in names}
    minutes = cases.rows["minutes_to_arrival"].to_numpy(dtype=np.float64)
    known = (np.isfinite(minutes) & np.isfinite(said.minutes)).astype(np.float64)
    error = np.where(known, said.minutes - minutes, 0.0)
    arrivals = cases.of_event(known)
    within = _nothing(cases)
    if said.minutes_p90 is not None:
        inside = np.where(known, minutes <= said.minutes_p90, 0.0)
        within = (cases.of_event(inside), arrivals)
    return {
        "eta_mae_min": (cases.of_event(np.abs(error)), arrivals),
        "eta_bias_min": (cases.of_event(error), arrivals),
        "eta_p90_coverage": within,
    }


def _nothing(cases: Cases) -> Part:
    return np.zeros(cases.events), np.zeros(cases.events)
