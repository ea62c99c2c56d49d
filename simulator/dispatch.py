"""The dispatch desk: for each request the candidates, and offers one after another."""

from functools import partial

import numpy as np

from simulator import luck, outcomes
from simulator.agenda import Agenda
from simulator.candidates import CandidateSearch
from simulator.case import Emit, Offer, request_event, step_event
from simulator.fate import DECIDE_S, fate_of
from simulator.fields import Fields
from simulator.fleet import IDLE, Fleet
from simulator.jobs import Jobs
from simulator.journal import Decision, Outcome, Record, no_offers
from simulator.outcomes import DRAWS_EACH, Request
from simulator.policy import Choice, Observer, Policy, Truth

MOST_OFFERS = 6
_NOBODY_S = 600.0
"""A driver for whom nobody can be found gives up after this."""
_CANDIDATE_SEED = 20
_POLICY_SEED = 23


class DispatchDesk:
    """Plays requests on a fleet; emits events and tells a record of its decisions."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of the world that it works on
        self,
        seed: int,
        fleet: Fleet,
        fields: Fields,
        search: CandidateSearch,
        policy: Policy,
        emit: Emit,
        record: Record,
        observed: Observer | None,
    ) -> None:
        self._seed = seed
        self._observed = observed
        self._fleet = fleet
        self._fields = fields
        self._search = search
        self._policy = policy
        self._emit = emit
        self._record = record
        self._agenda = Agenda()
        self._jobs = Jobs(seed, fleet, self._agenda, emit, self._offer_next, record)

    def submit(self, request: Request) -> None:
        """Take a request that will come at its time."""
        self._agenda.at(request.time_s, partial(self._open, request))

    def advance(self, until_s: float) -> None:
        """Play everything up to an epoch time in seconds."""
        self._agenda.advance(until_s)

    def _open(self, request: Request, now_s: float) -> None:
        self._emit(request_event(request))
        candidates, distance_km = self._search.nearest(request, now_s)
        if not len(candidates):
            self._agenda.at(now_s + _NOBODY_S, partial(self._leave_unserved, request))
            return
        providers = self._fleet.providers
        state = self._fleet.candidate_state(candidates, now_s)
        prospects = outcomes.prospects(providers, self._fields, request, state, now_s)
        truth = Truth(prospects, outcomes.success_probability(prospects, request))
        choice = Choice(request, now_s, providers, candidates, distance_km, truth, self._observed)
        rng = np.random.default_rng(self._key(_POLICY_SEED, request))
        uniform = luck.uniforms(self._key(_CANDIDATE_SEED, request), candidates, DRAWS_EACH)
        decision = Decision(
            choice=choice,
            ranking=self._policy.rank(choice, rng),
            draws=outcomes.draw(prospects, request.service, uniform),
            available_candidates=int((self._fleet.lead_state[candidates] == IDLE).sum()),
            offer_rank=no_offers(len(candidates)),
        )
        self._record.opened(decision)
        self._agenda.at(now_s + DECIDE_S, partial(self._offer_next, decision))

    def _key(self, purpose: int, request: Request) -> int:
        return luck.key_of(self._seed, purpose, request.metro, request.number)

    def _offer_next(self, decision: Decision, now_s: float) -> None:
        order, rank = decision.ranking.order, decision.offers_made
        if rank == min(len(order), MOST_OFFERS):
            self._give_up(decision, now_s)
            return
        position = int(order[rank])
        decision.offers_made = rank + 1
        decision.offer_rank[position] = rank + 1
        request, index = decision.request, int(decision.choice.candidates[position])
        outcome = Outcome(
            event_id=request.event_id,
            provider_id=self._fleet.providers.ids[index],
            offered_s=now_s,
            promised_arrival_s=now_s + 60 * request.promised_minutes,
            recorded_s=now_s,
        )
        decision.outcomes.append(outcome)
        self._emit(step_event(request, "offer", now_s, outcome.provider_id))
        offer = Offer(decision, index, outcome, fate_of(decision, position, now_s))
        self._agenda.at(offer.fate.answered_s, partial(self._answer, offer))

    def _answer(self, offer: Offer, now_s: float) -> None:
        request, provider_id = offer.decision.request, offer.outcome.provider_id
        # meanwhile it may have gone home or taken another job: then it cannot accept
        free = self._fleet.one_is_free(offer.provider)
        offer.outcome.accepted = offer.fate.end != "declined" and free
        if offer.outcome.accepted:
            self._emit(step_event(request, "accept", now_s, provider_id))
            self._jobs.begin(offer, now_s)
            return
        if not offer.fate.silent:
            self._emit(step_event(request, "decline", now_s, provider_id))
        self._offer_next(offer.decision, now_s)

    def _give_up(self, decision: Decision, now_s: float) -> None:
        self._emit(step_event(decision.request, "cancel", now_s, decision.outcomes[-1].provider_id))
        self._record.closed(decision)

    def _leave_unserved(self, request: Request, now_s: float) -> None:
        self._emit(step_event(request, "cancel", now_s, None))
