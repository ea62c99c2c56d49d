"""What a careful engineer would otherwise write: FastAPI, Feast on its own store, CatBoost.

It does the gateway's work with the same features, models and eligibility, and none of the rest: no
policy, no deadline, no fallback, no log. ``python -m benchmarks.gateway.peer_app --help``.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import h3
import numpy as np
import numpy.typing as npt
import redis
import uvicorn
from catboost import CatBoost, Pool
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

from benchmarks.feature_store import stores
from benchmarks.feature_store.reading import FEATURES
from feature_repo.bundle_manifest import ModelFiles
from feature_repo.geometry import great_circle_km
from feature_repo.model_matrix import MODEL_FEATURES, STORED_FEATURES, model_matrix
from feature_repo.online.keys import geo_index_key
from feature_repo.request_time import RequestColumns, is_available
from feature_repo.schema import H3_RESOLUTION, SERVICE_CODES, VIEWS, Kind
from scoring.gateway.retrieve import ENOUGH_CANDIDATES, MAX_CANDIDATES, RING_RADII_KM

EXPLAINED = 10
ROLES = ("ranker", "eta_p50", "eta_p90", "success")
_KINDS = {f"{view.name}__{c.name}": c.kind for view in VIEWS.values() for c in view.columns}

Columns = dict[str, npt.NDArray[Any]]


class Location(BaseModel):
    """A point, degrees."""

    lat: float
    lon: float


class Ask(BaseModel):
    """A request for help, as the gateway takes it."""

    event_id: str
    location: Location
    service: str
    vehicle_class: int = 1
    promised_minutes: float = 45.0
    top_k: int = 5


class Peer:
    """Stores and models."""

    def __init__(self, geo_url: str, feast_port: int, registry: Path, bundle: Path) -> None:
        self._geo: Any = redis.Redis.from_url(geo_url)
        self._store: Any = stores.opened(stores.own_settings(feast_port), registry, registry_s=600)
        files = ModelFiles()
        self._models = {
            role: CatBoost().load_model(str(bundle / getattr(files, role))) for role in ROLES
        }

    def rank(self, ask: Ask) -> dict[str, Any]:
        """Return the best providers with their contributions."""
        ids = self._near(ask.location)
        now_us = time.time_ns() // 1000
        columns = self._features(ask, ids)
        may = _eligible(columns, ask, now_us)
        if not may.any():
            raise HTTPException(404, "nobody near may be sent")
        some = {name: values[may] for name, values in columns.items()}
        rows = np.flatnonzero(may)
        matrix = model_matrix(some, _request(ask, now_us, some, len(rows)))
        raw = {role: model.predict(matrix, thread_count=1) for role, model in self._models.items()}
        best = np.argsort(-raw["ranker"])[: ask.top_k]
        explained = np.argsort(-raw["ranker"])[:EXPLAINED]
        shap = self._models["ranker"].get_feature_importance(
            Pool(matrix[explained]), type="ShapValues", thread_count=1
        )
        recommended = [
            {
                "provider_id": ids[rows[row]],
                "score": float(raw["ranker"][row]),
                "minutes_away": float(raw["eta_p50"][row]),
                "minutes_away_p90": float(raw["eta_p90"][row]),
                "success_probability": float(1 / (1 + np.exp(-raw["success"][row]))),
                "contributions": dict(zip(MODEL_FEATURES, shap[place, :-1].tolist(), strict=True)),
            }
            for place, row in enumerate(best)
        ]
        return {
            "event_id": ask.event_id,
            "recommendations": recommended,
            "candidates_considered": len(ids),
            "excluded": {"not_eligible": int(len(ids) - len(rows))},
            "stage_ms": {},
            "degraded": [],
        }

    def _near(self, place: Location) -> list[str]:
        found: list[bytes] = []
        for radius_km in RING_RADII_KM:
            found = self._geo.geosearch(
                geo_index_key(stores.PROJECT), longitude=place.lon, latitude=place.lat,
                radius=radius_km, unit="km", sort="ASC", count=MAX_CANDIDATES,
            )  # fmt: skip
            if len(found) >= ENOUGH_CANDIDATES:
                break
        return [member.decode() for member in found]

    def _features(self, ask: Ask, ids: list[str]) -> Columns:
        cell = h3.latlng_to_cell(ask.location.lat, ask.location.lon, H3_RESOLUTION)
        entities = [{"provider_id": i, "service": ask.service, "cell": cell} for i in ids]
        told = self._store.get_online_features(FEATURES, entities, full_feature_names=True)
        values = told.to_dict()
        return {name: _column(values[name], _KINDS[name]) for name in STORED_FEATURES}


def _column(values: list[Any], kind: Kind) -> npt.NDArray[Any]:
    if kind is Kind.STRING:
        return np.array([(value or "").encode() for value in values])
    if kind is Kind.TIMESTAMP:
        return np.array([np.nan if v is None else v.timestamp() * 1e6 for v in values])
    return np.array(values, dtype=np.float64)


def _eligible(columns: Columns, ask: Ask, now_us: int) -> npt.NDArray[np.bool_]:
    lat, lon = np.asarray(ask.location.lat), np.asarray(ask.location.lon)
    base_km = great_circle_km(
        columns["provider_profile__base_lat"], columns["provider_profile__base_lon"], lat, lon
    )
    may: npt.NDArray[np.bool_] = (
        (columns[f"provider_profile__can_{ask.service}"] == 1)
        & (columns["provider_profile__max_vehicle_class"] >= ask.vehicle_class)
        & (base_km <= columns["provider_profile__radius_km"])
        & (columns["provider_availability__status"] != b"offline")
        & (columns["provider_availability__free_capacity"] >= 1)
        & (columns["provider_availability__shift_end"] > now_us)
    )
    return may


def _request(ask: Ask, now_us: int, columns: Columns, rows: int) -> RequestColumns:
    available = np.nansum(is_available(columns["provider_availability__status"]))
    values = (now_us, ask.location.lat, ask.location.lon, SERVICE_CODES[ask.service],
              ask.vehicle_class, ask.promised_minutes, available)  # fmt: skip
    return RequestColumns(*(np.full(rows, value, dtype=np.float64) for value in values))


def main() -> int:
    """Serve until killed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gateway.peer_app", description=__doc__
    )
    parser.add_argument("--port", type=int, required=True, help="port to listen on")
    parser.add_argument("--geo-url", required=True, help="the Redis with the geo index")
    parser.add_argument("--feast-port", type=int, required=True, help="of Feast's own Redis")
    parser.add_argument("--registry", type=Path, required=True, help="Feast's registry")
    parser.add_argument("--bundle", type=Path, required=True, help="the model bundle")
    options = parser.parse_args()
    peer = Peer(options.geo_url, options.feast_port, options.registry, options.bundle)
    app = FastAPI()

    @app.post("/v1/recommendations")
    def recommend(ask: Ask) -> dict[str, Any]:
        return peer.rank(ask)

    @app.get("/healthz")
    def alive() -> str:
        return "alive"

    uvicorn.run(app, host="127.0.0.1", port=options.port, log_level="warning", access_log=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
