"""The generating model of outcomes."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from simulator import outcomes
from simulator.fields import Conditions, Fields
from simulator.geography import cells_of, plane_km
from simulator.metros import METROS
from simulator.outcomes import DRAWS_EACH, CandidateState, Prospects, Request
from simulator.providers import SERVICES, make_providers

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


class _SnowyMorning(Fields):
    """Everywhere 3 mm/h and 2 cm of snow, and roads at 0.8 of a free flow of 44 km/h."""

    def at(self, time_s: float) -> Conditions:
        """Return the same at any time."""
        self.free_flow_kph[:] = 44.0
        ones = np.ones(len(self.cells.names))
        alike = {"speed_ratio": 0.8 * ones, "precip_mm_h": 3 * ones, "snow_cm": 2 * ones}
        return replace(super().at(time_s), **alike)


@pytest.mark.parametrize(("service", "is_hard"), [("winch", True), ("lockout", False)])
@pytest.mark.parametrize("vehicle_class", [2, 3])
def test_chances_are_those_of_the_written_model(
    service: str, is_hard: bool, vehicle_class: int
) -> None:
    """Acceptance, completion and travel are what docs/simulator.md says of the hidden state."""
    cells = cells_of(METROS[0])
    providers, at = make_providers(9, 5, cells), SERVICES.index(service)
    hidden = providers.hidden
    jobs, shift_min = np.array([0, 1, 2] * 3), np.array([30.0, 50.0, 300.0] * 3)
    mood = np.linspace(-1, 1, 9)
    state = CandidateState(
        np.arange(9), providers.base_lat, providers.base_lon, jobs, shift_min, mood
    )
    where = {"lat": METROS[0].lat, "lon": METROS[0].lon}
    request = replace(_REQUEST, service=service, vehicle_class=vehicle_class, **where)
    found = outcomes.prospects(providers, _SnowyMorning(cells, 5), request, state, 0.0)
    straight_km = plane_km(providers.base_lat, providers.base_lon, where["lat"], where["lon"])
    kph = 44.0 * 0.8 * hidden.pace / (1 + 0.02 * 3 + 0.06 * 2)
    drive_min = 60 * 1.37 * straight_km / kph
    willing = 1.7 + 1.2 * hidden.eagerness + hidden.taste[:, at] - 0.11 * (drive_min - 12)
    willing += 0.7 * mood - 1.2 * jobs - 1.8 * (shift_min < 40) - 0.06 * 3
    willing -= 0.4 * (vehicle_class == 3)
    reliable = 2.3 + hidden.quality + hidden.skill[:, at] - 0.5 * is_hard - 0.02 * drive_min
    np.testing.assert_allclose(found.drive_min, drive_min)
    np.testing.assert_allclose(found.mobilise_min, 1.1 * hidden.mobilise_min)
    np.testing.assert_allclose(found.accept_probability, expit(willing))
    np.testing.assert_allclose(found.complete_probability, expit(reliable - 0.04 * 3))
    satisfied = 4.2 + 0.55 * hidden.quality + 0.2 * hidden.skill[:, at]
    np.testing.assert_allclose(found.satisfaction_base, satisfied)


@pytest.mark.parametrize(
    ("minutes_late", "noise", "score"),
    [(0.0, 0.0, 4), (-30.0, 0.0, 4), (20.0, 0.0, 3), (0.0, 2.0, 5), (90.0, 0.0, 1)],
)
def test_lateness_costs_satisfaction_and_earliness_earns_none(
    minutes_late: float, noise: float, score: int
) -> None:
    """4.2 less 0.07 a minute late, rounded, 1 to 5."""
    assert outcomes.satisfaction_score(4.2, minutes_late, noise) == score


def test_three_of_four_drivers_answer_and_one_in_eight_unwilling_is_silent() -> None:
    """Shares of draws are those that docs/simulator.md names."""
    ones = np.ones(20_000)
    prospect = Prospects(ones / 2, ones, ones, ones, ones, ones)
    uniform = np.random.default_rng(3).uniform(size=(DRAWS_EACH, len(ones)))
    drawn = outcomes.draw(prospect, "tow", uniform)
    assert drawn.satisfaction_answered.mean() == pytest.approx(0.75, abs=0.01)
    assert drawn.answers.mean() == pytest.approx(0.88, abs=0.01)
    assert np.median(drawn.response_s) == pytest.approx(np.exp(3.3), rel=0.02)
    assert np.median(drawn.satisfaction_delay_min) == pytest.approx(np.exp(4.3), rel=0.02)


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
