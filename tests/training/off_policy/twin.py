"""Contexts of the simulator with each candidate's true chance, and logs drawn from them.

A log is a sample of the contexts, so their differences are part of an estimate's error, as they
are in the field; the truth is the mean over all contexts.
"""

import dataclasses
from dataclasses import dataclass

import numpy as np

from simulator import outcomes
from simulator.geography import plane_km
from simulator.outcomes import CandidateState, Prospects, Request
from simulator.world import World, WorldSettings
from training.off_policy.estimators import Floats
from training.off_policy.table import LoggedDecisions

CANDIDATES = 12
_AROUND = 100
_START_S = 1_767_625_200.0
_NEARNESS_KM, _EXPLORATION_SHARE = 1.8, 0.25


@dataclass(frozen=True)
class Twin:
    """Contexts with twelve candidates each; arrays [contexts, 12], all but the promise."""

    distance_km: Floats
    propensity: Floats
    truth: Floats
    prospects: Prospects
    promised_minutes: Floats
    """[contexts]."""

    def value(self, probability: Floats) -> float:
        """Return what a policy is truly worth."""
        return float((probability * self.truth).sum(axis=1).mean())

    def standard_errors(
        self, policy: Floats, prediction: Floats, decisions: int
    ) -> dict[str, float]:
        """Return the estimators' true standard errors on a log of so many decisions.

        Nothing is drawn: each is the root of the variance of one decision's influence, over all
        contexts, the log's choices (by its propensities) and their outcomes (by the true chances).
        """
        weight, value = policy / self.propensity, self.value(policy)
        expected = (policy * prediction).sum(axis=1, keepdims=True)
        influences = {
            "IPS": (weight, np.zeros_like(weight)),
            "SNIPS": (weight * (1 - value), -weight * value),
            "DR": (expected + weight * (1 - prediction), expected - weight * prediction),
        }
        return {
            name: float(np.sqrt(self._variance(*of_outcome) / decisions))
            for name, of_outcome in influences.items()
        }

    def _variance(self, if_success: Floats, if_failure: Floats) -> float:
        """Return the variance of a number that hangs on context, choice and outcome."""
        first, second = (
            (self.propensity * (self.truth * s + (1 - self.truth) * f)).sum(axis=1).mean()
            for s, f in ((if_success, if_failure), (if_success**2, if_failure**2))
        )
        return float(second - first**2)

    def log(
        self, decisions: int, policies: dict[str, Floats], prediction: Floats, seed: int
    ) -> LoggedDecisions:
        """Draw decisions, the logging policy's first offers, and what became of them."""
        rng = np.random.default_rng([seed, 77])
        context = rng.integers(0, len(self.truth), decisions)
        cumulative = self.propensity[context].cumsum(axis=1)
        offered = (cumulative < rng.random((decisions, 1)) * cumulative[:, -1:]).sum(axis=1)
        return LoggedDecisions(
            decision=np.repeat(np.arange(decisions), CANDIDATES),
            propensity=self.propensity[context].ravel(),
            prediction=prediction[context].ravel(),
            chosen=np.arange(decisions) * CANDIDATES + offered,
            reward=self._rewards(context, offered, rng),
            policies={name: p[context].ravel() for name, p in policies.items()},
        )

    def _rewards(self, context: Floats, offered: Floats, rng: np.random.Generator) -> Floats:
        of_offers = Prospects(
            **{
                field.name: getattr(self.prospects, field.name)[context, offered]
                for field in dataclasses.fields(Prospects)
            }
        )
        # the service decides only time on the scene
        uniform = rng.random((outcomes.DRAWS_EACH, len(offered)))
        draws = outcomes.draw(of_offers, "tow", uniform)
        minutes = draws.response_s / 60 + draws.mobilise_min + draws.drive_min
        in_time = minutes <= self.promised_minutes[context]
        return (draws.accepts & draws.completes & in_time).astype(np.float64)


def make_twin(contexts: int, seed: int) -> Twin:
    """Return contexts in a world of 300 providers, all on the road and free."""
    world = World(WorldSettings(providers=300, seed=seed, requests_per_hour=1.0), _START_S, "t")
    rng = np.random.default_rng([seed, 78])
    places = rng.integers(0, len(world.providers), contexts)
    made = [_context(world, int(place), number, rng) for number, place in enumerate(places)]
    distance_km = np.array([distance for distance, *_ in made])
    nearness = np.exp(-(distance_km - distance_km.min(axis=1, keepdims=True)) / _NEARNESS_KM)
    nearness /= nearness.sum(axis=1, keepdims=True)
    return Twin(
        distance_km=distance_km,
        propensity=(1 - _EXPLORATION_SHARE) * nearness + _EXPLORATION_SHARE / CANDIDATES,
        truth=np.array([truth for _, truth, *_ in made]),
        prospects=Prospects(
            **{
                field.name: np.array([getattr(found, field.name) for _, _, found, _ in made])
                for field in dataclasses.fields(Prospects)
            }
        ),
        promised_minutes=np.array([promised for *_, promised in made]),
    )


def _context(
    world: World, place: int, number: int, rng: np.random.Generator
) -> tuple[Floats, Floats, Prospects, float]:
    providers = world.providers
    lat = float(providers.base_lat[place] + rng.normal(0, 0.02))
    lon = float(providers.base_lon[place] + rng.normal(0, 0.02))
    away = plane_km(providers.base_lat, providers.base_lon, lat, lon)
    # not the very nearest, of which one is as good as another
    who = rng.choice(np.argsort(away)[:_AROUND], CANDIDATES, replace=False)
    request = Request(
        number, f"t-{number}", _START_S, lat, lon, cell="", metro="den", service="tow",
        vehicle_class=1, promised_minutes=float(rng.choice([15.0, 20.0, 25.0])),
        patience_minutes=60.0,
    )  # fmt: skip
    state = CandidateState(
        index=who,
        lat=providers.base_lat[who],
        lon=providers.base_lon[who],
        active_jobs=rng.integers(0, 2, CANDIDATES),
        minutes_to_shift_end=np.full(CANDIDATES, 300.0),
        mood=rng.normal(size=CANDIDATES),
    )
    found = outcomes.prospects(providers, world.fields, request, state, _START_S)
    truth = outcomes.success_probability(found, request)
    return away[who], truth, found, request.promised_minutes
