"""The generating model of outcomes."""

from dataclasses import replace

import numpy as np

from simulator import outcomes
from simulator.outcomes import DRAWS_EACH, Prospects, Request

_CANDIDATES, _DRAWS = 300, 2_000
_REQUEST = Request(
    number=1,
    event_id="e",
    time_s=0.0,
    lat=0.0,
    lon=0.0,
    cell="",
    metro="den",
    service="tow",
    vehicle_class=1,
    promised_minutes=20.0,
    patience_minutes=40.0,
)


def test_the_chance_of_success_is_the_share_of_draws_that_succeed() -> None:
    """The chance agrees with many draws of the same candidates: on the mean, and for each."""
    rng = np.random.default_rng(5)
    prospect = Prospects(
        accept_probability=rng.uniform(0.2, 1.0, _CANDIDATES),
        complete_probability=rng.uniform(0.5, 1.0, _CANDIDATES),
        mobilise_min=1 + rng.gamma(2.2, 2.6, _CANDIDATES),
        drive_min=rng.uniform(2, 25, _CANDIDATES),
        drive_km=np.zeros(_CANDIDATES),
        satisfaction_base=np.zeros(_CANDIDATES),
    )
    successes = np.zeros(_CANDIDATES)
    for _ in range(_DRAWS):
        drawn = outcomes.draw(prospect, "tow", rng.uniform(size=(DRAWS_EACH, _CANDIDATES)))
        minutes = drawn.response_s / 60 + drawn.mobilise_min + drawn.drive_min
        successes += drawn.accepts & drawn.completes & (minutes <= _REQUEST.promised_minutes)
    share = successes / _DRAWS
    chance = outcomes.success_probability(prospect, _REQUEST)
    error = np.sqrt(share * (1 - share) / _DRAWS)
    assert abs(chance.mean() - share.mean()) < 4 * np.sqrt((error**2).sum()) / _CANDIDATES
    assert np.abs(chance - share).max() < 0.06
    late = outcomes.success_probability(prospect, replace(_REQUEST, promised_minutes=0.0))
    assert (late == 0).all()
