"""The dispatch desk: for each request the candidates, and offers one after another."""

from functools import partial

import numpy as np

from simulator import outcomes
from simulator.agenda import Agenda
from simulator.case import Case, Emit, Offer, request_event, step_event
from simulator.fields import Fields
from simulator.fleet import IDLE, Fleet
from simulator.geography import Floats, Ints, plane_km
from simulator.jobs import Jobs
from simulator.journal import Decision, Journal, Outcome
from simulator.outcomes import Request
from simulator.policy import Choice, Policy, Truth
from simulator.providers import SERVICES, Bools

MOST_CANDIDATES = 40
MOST_OFFERS = 6
_DECIDE_S = 3.0
"""From the request to the first offer."""
_NO_ANSWER_S = 90.0
_NOBODY_S = 600.0
"""A driver for whom nobody can be found gives up after this."""
_CANDIDATE_SEED = 20
_TRUTH_SEED = 21
_POLICY_SEED = 23


class DispatchDesk:
    """Plays requests on a fleet; emits events and keeps a journal if it is given one."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of the world that it works on
        self,
        seed: int,
        fleet: Fleet,
        fields: Fields,
        emit: Emit,
        playable: Bools,
        policy: Policy,
        journal: Journal | None = None,
    ) -> None:
        self._seed = seed
        self._policy = policy
        self._fleet = fleet
        self._fields = fields
        self._emit = emit
        self._playable = playable
        self._journal = journal
        self._agenda = Agenda()
        self._jobs = Jobs(seed, fleet, self._agenda, emit, self._offer_next, journal)

    def submit(self, request: Request) -> None:
        """Take a request that will come at its time."""
        self._agenda.at(request.time_s, partial(self._open, request))

    def advance(self, until_s: float) -> None:
        """Play everything up to an epoch time in seconds."""
        self._agenda.advance(until_s)

    def _open(self, request: Request, now_s: float) -> None:
        self._emit(request_event(request))
        candidates, distance_km = self._candidates(request, now_s)
        if not len(candidates):
            self._agenda.at(now_s + _NOBODY_S, partial(self._give_up, request, None))
            return
        providers = self._fleet.providers
        state = self._fleet.candidate_state(candidates, now_s)
        prospects = outcomes.prospects(providers, self._fields, request, state, now_s)
        chance = outcomes.success_probability(
            prospects, request, self._generator(_TRUTH_SEED, request)
        )
        choice = Choice(
            request, now_s, providers, candidates, distance_km, Truth(prospects, chance)
        )
        ranking = self._policy.rank(choice, self._generator(_POLICY_SEED, request))
        draws = outcomes.draw(prospects, request.service, self._generator(_CANDIDATE_SEED, request))
        case = Case(request, candidates, ranking.order[:MOST_OFFERS], prospects, draws)
        self._write_down(case, ranking.propensity, chance)
        self._agenda.at(now_s + _DECIDE_S, partial(self._offer_next, case))

    def _candidates(self, request: Request, now_s: float) -> tuple[Ints, Floats]:
        """Return the nearest eligible providers and their distances, km."""
        p = self._fleet.providers
        base_km = plane_km(p.base_lat, p.base_lon, request.lat, request.lon)
        eligible = (
            self._playable
            & self._fleet.free()
            & (p.metro == request.metro)
            & p.offers[:, SERVICES.index(request.service)]
            & (p.max_vehicle_class >= request.vehicle_class)
            & (base_km <= p.radius_km)
        )
        index = np.flatnonzero(eligible)
        state = self._fleet.candidate_state(index, now_s)
        distance_km = plane_km(state.lat, state.lon, request.lat, request.lon)
        nearest = np.argsort(distance_km, kind="stable")[:MOST_CANDIDATES]
        return index[nearest], distance_km[nearest]

    def _offer_next(self, case: Case, now_s: float) -> None:
        ids = self._fleet.providers.ids
        if case.offers_made == len(case.order):
            self._give_up(case.request, ids[case.candidates[case.order[-1]]], now_s)
            return
        position = int(case.order[case.offers_made])
        case.offers_made += 1
        index = int(case.candidates[position])
        self._emit(step_event(case.request, "offer", now_s, ids[index]))
        outcome = Outcome(
            event_id=case.request.event_id,
            provider_id=ids[index],
            offered_s=now_s,
            promised_arrival_s=now_s + 60 * case.request.promised_minutes,
            recorded_s=now_s,
        )
        if self._journal is not None and case.decision is not None:
            case.decision.offer_rank[position] = case.offers_made
            self._journal.outcomes.append(outcome)
        answers = bool(case.draws.accepts[position] or case.draws.answers[position])
        wait_s = float(case.draws.response_s[position]) if answers else _NO_ANSWER_S
        offer = Offer(case, position, index, outcome)
        self._agenda.at(now_s + wait_s, partial(self._answer, offer))

    def _answer(self, offer: Offer, now_s: float) -> None:
        case, position = offer.case, offer.position
        # meanwhile it may have gone home or taken another job: then it cannot accept
        free = bool(self._fleet.free()[offer.provider])
        offer.outcome.accepted = bool(case.draws.accepts[position]) and free
        provider_id = offer.outcome.provider_id
        if offer.outcome.accepted:
            self._emit(step_event(case.request, "accept", now_s, provider_id))
            self._jobs.begin(offer, now_s)
            return
        if case.draws.accepts[position] or case.draws.answers[position]:
            self._emit(step_event(case.request, "decline", now_s, provider_id))
        self._offer_next(case, now_s)

    def _give_up(self, request: Request, last_provider: str | None, now_s: float) -> None:
        self._emit(step_event(request, "cancel", now_s, last_provider))

    def _generator(self, purpose: int, request: Request) -> np.random.Generator:
        return np.random.default_rng([self._seed, purpose, request.number])

    def _write_down(self, case: Case, propensity: Floats, chance: Floats) -> None:
        if self._journal is None:
            return
        case.decision = Decision(
            request=case.request,
            provider_ids=[self._fleet.providers.ids[i] for i in case.candidates],
            propensity=propensity,
            success_probability=chance,
            available_candidates=int((self._fleet.lead_state[case.candidates] == IDLE).sum()),
            offer_rank=np.zeros(len(case.candidates), dtype=np.int64),
        )
        self._journal.decisions.append(case.decision)
