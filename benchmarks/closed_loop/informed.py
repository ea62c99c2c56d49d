"""An oracle that sees through the streams: how much of the gap is what nobody can observe.

It knows the hidden traits, the true roads and weather and the generating model, but it has to take
positions, jobs in hand and shifts as they are observed, and it does not know a provider's mood.
No model of the observed features can be expected to do better; between it and a model lies what
the model has not learned, between it and the oracle what cannot be known.
"""

from dataclasses import dataclass

import numpy as np

from benchmarks.closed_loop.batch_rows import BatchRows
from benchmarks.closed_loop.seen import seen
from feature_repo.request_time import is_available
from simulator import outcomes
from simulator.fields import Fields
from simulator.outcomes import CandidateState
from simulator.policy import Choice, Ranking, certain


@dataclass(frozen=True)
class Informed:
    """Expected success, from hidden traits and observed states."""

    batch: BatchRows
    fields: Fields

    def rank(self, choice: Choice, rng: np.random.Generator) -> Ranking:
        """Order by the chance of success that the generating model gives the observed states."""
        del rng
        state = self._state(choice)
        prospects = outcomes.prospects(
            choice.providers, self.fields, choice.request, state, choice.now_s
        )
        return certain(outcomes.success_probability(prospects, choice.request))

    def _state(self, choice: Choice) -> CandidateState:
        known = seen(choice, self.batch)
        columns, providers, who = known.fresh(), choice.providers, choice.candidates
        # a busy provider sends another truck, from the base
        idle = is_available(columns["provider_availability__status"]) == 1
        lat, lon = (columns[f"provider_motion__{axis}"] for axis in ("lat", "lon"))
        there = idle & ~np.isnan(lat)
        left_min = (columns["provider_availability__shift_end"] - known.request.request_us) / 60e6
        return CandidateState(
            index=who,
            lat=np.where(there, lat, providers.base_lat[who]),
            lon=np.where(there, lon, providers.base_lon[who]),
            active_jobs=np.nan_to_num(columns["provider_availability__active_jobs"]).astype(
                np.int64
            ),
            minutes_to_shift_end=np.nan_to_num(left_min, nan=np.inf),
            mood=np.zeros(len(who)),
        )
