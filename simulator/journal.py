"""What the dispatch desk writes down: decisions, outcomes, and the twin's own truth."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from simulator.geography import Floats, Ints
from simulator.outcomes import Request

Row = dict[str, Any]
_TIMES = ("request_ts", "offered_ts", "recorded_ts", "promised_arrival_ts", "arrived_ts")
_MORE_TIMES = ("completed_ts", "cancelled_ts", "satisfaction_ts")


@dataclass
class Outcome:
    """What became of one offer; times in epoch seconds, None where it did not happen.

    A correction is another outcome of the same event and provider with a later ``recorded_s``.
    """

    event_id: str
    provider_id: str
    offered_s: float
    promised_arrival_s: float
    recorded_s: float
    accepted: bool | None = None
    arrived_s: float | None = None
    completed_s: float | None = None
    cancelled_s: float | None = None
    satisfaction: int | None = None
    satisfaction_s: float | None = None


@dataclass
class Decision:
    """One request with its candidates; arrays share their order."""

    request: Request
    provider_ids: list[str]
    propensity: Floats
    success_probability: Floats
    available_candidates: int
    offer_rank: Ints
    """1 for the first offer; 0 where none was made."""


@dataclass
class Journal:
    """Decisions and outcomes of a run, kept in memory and written at its end."""

    decisions: list[Decision] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)

    def write(self, directory: Path, until_s: float) -> None:
        """Write ``decisions.parquet``, ``outcomes.parquet`` and ``truth.parquet``.

        Nothing later than ``until_s`` (epoch seconds) is known: such outcomes are still open.

        Raises:
            ValueError: There was no decision at all.
        """
        if not self.decisions:
            raise ValueError("no request found a candidate: give more hours or more providers")
        _write(self._decision_rows(), directory / "decisions.parquet")
        _write(self._outcome_rows(until_s), directory / "outcomes.parquet")
        _write(self._truth_rows(), directory / "truth.parquet")

    def _decision_rows(self) -> pd.DataFrame:
        of_request = pd.DataFrame([_request_row(d) for d in self.decisions])
        of_request["vehicle_class"] = of_request["vehicle_class"].astype(np.int32)
        of_request["available_candidates"] = of_request["available_candidates"].astype(np.int32)
        rows = of_request.loc[self._repeats()].reset_index(drop=True)
        rank = np.concatenate([d.offer_rank for d in self.decisions]).astype(np.int32)
        rows["provider_id"] = self._provider_ids()
        rows["offered"], rows["offer_rank"] = rank > 0, rank
        rows["propensity"] = np.concatenate([d.propensity for d in self.decisions])
        return rows

    def _truth_rows(self) -> pd.DataFrame:
        event_ids = np.array([d.request.event_id for d in self.decisions])
        return pd.DataFrame(
            {
                "event_id": event_ids[self._repeats()],
                "provider_id": self._provider_ids(),
                "success_probability": np.concatenate(
                    [d.success_probability for d in self.decisions]
                ),
            }
        )

    def _repeats(self) -> Ints:
        """Return for each candidate the position of its decision."""
        sizes = [len(d.provider_ids) for d in self.decisions]
        return np.repeat(np.arange(len(sizes)), sizes)

    def _provider_ids(self) -> list[str]:
        return [id_ for d in self.decisions for id_ in d.provider_ids]

    def _outcome_rows(self, until_s: float) -> pd.DataFrame:
        known = [o for o in self.outcomes if o.recorded_s <= until_s]
        known.sort(key=lambda o: (o.recorded_s, o.event_id, o.provider_id))
        frame = pd.DataFrame([_outcome_row(o, until_s) for o in known])
        nullable = {"accepted": "boolean", "satisfaction": "Int32"}
        return frame.astype(nullable)


def _request_row(decision: Decision) -> Row:
    request = decision.request
    return {
        "event_id": request.event_id,
        "request_ts": _stamp(request.time_s),
        "request_lat": request.lat,
        "request_lon": request.lon,
        "requested_service": request.service,
        "vehicle_class": request.vehicle_class,
        "promised_minutes": request.promised_minutes,
        "available_candidates": decision.available_candidates,
        "cell": request.cell,
        "service": request.service,  # the entity key of the provider's record
    }


def _outcome_row(outcome: Outcome, until_s: float) -> Row:
    def known(time_s: float | None) -> pd.Timestamp | None:
        return None if time_s is None or time_s > until_s else _stamp(time_s)

    told = outcome.satisfaction_s is not None and outcome.satisfaction_s <= until_s
    return {
        "event_id": outcome.event_id,
        "provider_id": outcome.provider_id,
        "offered_ts": _stamp(outcome.offered_s),
        "accepted": outcome.accepted,
        "promised_arrival_ts": _stamp(outcome.promised_arrival_s),
        "arrived_ts": known(outcome.arrived_s),
        "completed_ts": known(outcome.completed_s),
        "cancelled_ts": known(outcome.cancelled_s),
        "satisfaction": outcome.satisfaction if told else None,
        "satisfaction_ts": known(outcome.satisfaction_s),
        "recorded_ts": _stamp(outcome.recorded_s),
    }


def _stamp(time_s: float) -> pd.Timestamp:
    return pd.Timestamp(round(time_s * 1000), unit="ms", tz="UTC")


def _write(frame: pd.DataFrame, path: Path) -> None:
    for name in (*_TIMES, *_MORE_TIMES):
        if name in frame:
            frame[name] = pd.to_datetime(frame[name], utc=True).astype("datetime64[us, UTC]")
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_parquet(path, index=False)
