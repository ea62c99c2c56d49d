"""A day as a gateway would have served it, made from the small archive, with or without faults."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pandas as pd

from feature_repo import bundle_manifest
from feature_repo.model_matrix import MODEL_FEATURES, MODEL_FINGERPRINT
from feature_repo.request_time import is_available
from scoring.gateway import messages
from scoring.gateway.decision_log.logged_decision import (
    ExcludedColumns,
    LoggedDecision,
    RankedColumns,
)
from tests.training.conftest import Prepared
from training import models, retrieval
from training.files import DECISIONS
from training.models import TrainedModels
from training.monitoring import __main__ as monitoring
from training.monitoring import decision_record, decisions, skew
from training.monitoring.findings import Finding

if TYPE_CHECKING:
    from feast import FeatureStore

DAY = date(2026, 1, 5)
SHOWN = 5
VERSION = "of-this-test"
Fault = Callable[[pd.DataFrame, "FeatureStore"], pd.DataFrame]
"""Takes the rows that were shown, with everything that retrieval needs, and changes features."""
_WEATHER = [
    f"cell_conditions__{name}"
    for name in ("precip_mm_h", "snow_cm", "temp_c", "visibility_km", "wind_kph", "alert_level")
]


@dataclass(frozen=True)
class Archive:
    """Every candidate of the archive as served: request, features, score, chance."""

    rows: pd.DataFrame
    store: "FeatureStore"


@dataclass(frozen=True)
class Job:
    """The daily job as a person starts it, over days that ``serve`` makes."""

    archive: Archive
    bundle: Path
    prepared: Prepared
    directory: Path

    @property
    def out(self) -> Path:
        """Where it writes."""
        return self.directory / "out"

    def serve(self, seed: int, fault: Fault | None = None, events: int = 400) -> None:
        """Make the day that it examines."""
        version = bundle_manifest.load(self.bundle).version
        write(self.archive, self.directory, seed, fault or _no_fault, events, version)

    def run(self, *options: str) -> int:
        """Run it and return its exit code."""
        places = {
            "--decisions": self.directory,
            "--data": self.prepared.data,
            "--bundle": self.bundle,
            "--feature-repo": self.prepared.feature_repo,
            "--out": self.out,
            "--day": DAY,
        }
        given = [str(part) for option in places.items() for part in option]
        try:
            return monitoring.main([*given, *options])
        except SystemExit as end:
            return int(str(end.code))

    def findings(self) -> list[Finding]:
        """Return what the last run found."""
        return msgspec.json.decode((self.out / "findings.json").read_bytes(), type=list[Finding])


def _no_fault(rows: pd.DataFrame, _store: "FeatureStore") -> pd.DataFrame:
    return rows


def serve(prepared: Prepared, trained: TrainedModels) -> Archive:
    """Return what a gateway would have read and scored, all of it equal to history."""
    store = retrieval.open_store(prepared.feature_repo, prepared.data / "offline")
    asked = pd.read_parquet(prepared.data / DECISIONS).drop(columns="available_candidates")
    status = retrieval.retrieve(asked, store, ["provider_availability__status"])
    available = is_available(
        status["provider_availability__status"].fillna("").to_numpy(dtype=object)
    )
    counts = pd.Series(available).groupby(asked["event_id"]).sum()
    asked["available_candidates"] = asked["event_id"].map(counts).astype(np.int32)
    features = retrieval.with_features(asked, store)[list(MODEL_FEATURES)]
    rows = pd.concat([asked, features], axis=1)
    raw = models.raw_probability(trained.success, models.matrix(rows))
    rows["success_probability"] = np.interp(raw, trained.calibration.x, trained.calibration.y)
    rows["score"] = trained.ranker.predict(models.matrix(rows))
    ordered = rows.sort_values(["event_id", "score"], ascending=[True, False], kind="stable")
    ordered["rank"] = ordered.groupby("event_id").cumcount() + 1
    return Archive(ordered.reset_index(drop=True), store)


def write(  # noqa: PLR0917 - the parts of a day
    archive: Archive,
    directory: Path,
    seed: int,
    fault: Fault = _no_fault,
    events: int = 400,
    version: str = VERSION,
) -> None:
    """Write a day of some of the archive's events through the gateway's own messages."""
    rng = np.random.default_rng(seed)
    chosen = rng.choice(archive.rows["event_id"].unique(), events, replace=False)
    rows = archive.rows[archive.rows["event_id"].isin(chosen)].reset_index(drop=True)
    shown = fault(rows[rows["rank"] <= SHOWN].reset_index(drop=True), archive.store)
    records = [
        row
        for data in encode(rows, shown, version)
        for row in decision_record.rows(decision_record.decode(data))
    ]
    decisions.write(records, directory, "served.parquet")


def encode(rows: pd.DataFrame, shown: pd.DataFrame, version: str = VERSION) -> list[bytes]:
    """Return the records of the decision log, one a decision."""
    matrix = shown[list(MODEL_FEATURES)].to_numpy(dtype=np.float64).tolist()
    features: dict[str, dict[str, list[float | None]]] = {}
    keys = zip(shown["event_id"], shown["provider_id"], matrix, strict=True)
    for event_id, provider_id, values in keys:
        known = [None if math.isnan(value) else value for value in values]
        features.setdefault(event_id, {})[provider_id] = known
    first = rows.drop_duplicates("event_id").to_dict("records")
    of_event = rows.groupby("event_id").indices
    return [
        msgspec.json.encode(
            LoggedDecision(
                request=_request(row),
                answer=_answer(row, version),
                refusal=None,
                ranked=_ranked(rows.iloc[of_event[row["event_id"]]]),
                policy_actions={},
                excluded=ExcludedColumns([], [], []),
                features=features[row["event_id"]],
                other_features={},
            )
        )
        for row in first
    ]


def _request(row: dict[Any, Any]) -> messages.RecommendationRequest:
    return messages.RecommendationRequest(
        event_id=row["event_id"],
        location=messages.Location(float(row["request_lat"]), float(row["request_lon"])),
        service=row["service"],
        vehicle_class=int(row["vehicle_class"]),
        promised_minutes=float(row["promised_minutes"]),
    )


def _answer(row: dict[Any, Any], version: str) -> messages.RecommendationAnswer:
    return messages.RecommendationAnswer(
        event_id=row["event_id"],
        decided_at=row["request_ts"].isoformat(),
        recommendations=[],
        why_not_nearer=None,
        candidates_considered=0,
        excluded={},
        degraded=[],
        versions=messages.Versions(version, "test", MODEL_FINGERPRINT),
        stage_ms={},
    )


def _ranked(candidates: pd.DataFrame) -> RankedColumns:
    by_rank = candidates.sort_values("rank")
    unknown = [0.0] * len(by_rank)
    return RankedColumns(
        provider_id=by_rank["provider_id"].tolist(),
        distance_km=unknown,
        score=by_rank["score"].tolist(),
        minutes_away=unknown,
        success_probability=by_rank["success_probability"].tolist(),
        propensity=by_rank["propensity"].tolist(),
    )


def speeds_in(unit_per_kph: float) -> Fault:
    """Return a fault: the GPS source sends speeds in another unit."""

    def fault(rows: pd.DataFrame, _store: "FeatureStore") -> pd.DataFrame:
        names = ["provider_motion__speed_mean_kph", "provider_motion__speed_max_kph"]
        return rows.assign(**{name: np.float32(unit_per_kph) * rows[name] for name in names})

    return fault


def stuck_weather(rows: pd.DataFrame, _store: "FeatureStore") -> pd.DataFrame:
    """Be the fault: each cell's weather stays what it first was, with advancing times."""
    known = rows.sort_values("request_ts").dropna(subset=_WEATHER)
    first = known.drop_duplicates("cell").set_index("cell")[_WEATHER]
    return rows.assign(**{name: rows["cell"].map(first[name]) for name in _WEATHER})


def everyone_available(rows: pd.DataFrame, _store: "FeatureStore") -> pd.DataFrame:
    """Be the fault: every provider's status is available."""
    return rows.assign(request_time__is_available=np.float32(1))


def lag(minutes: float, *, ages_show_it: bool) -> Fault:
    """Return a fault: stored features are history's of a while before the decision."""

    def fault(rows: pd.DataFrame, store: "FeatureStore") -> pd.DataFrame:
        stored = skew.as_of(rows, store, 60 * minutes)
        seen = stored if ages_show_it else skew.restamped(stored, 60 * minutes)
        lagged = skew.matrix(rows, seen)
        names = list(MODEL_FEATURES)
        return rows.assign(**dict(zip(names, lagged.astype(np.float32).T, strict=True)))

    return fault
