"""A small, real model bundle for tests: seconds of simulated truth, a second of training."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from catboost import CatBoost, Pool

from feature_repo import bundle_manifest
from feature_repo.bundle_manifest import BundleManifest, Calibration, ModelFiles
from feature_repo.model_matrix import MODEL_FEATURES, MODEL_FINGERPRINT

REQUESTS = 150
CANDIDATES = 8

_LOSSES = {
    "ranker": "YetiRank",
    "eta_p50": "Quantile:alpha=0.5",
    "eta_p90": "Quantile:alpha=0.9",
    "success": "Logloss",
}


def make_bundle(directory: Path, seed: int = 0, iterations: int = 40) -> BundleManifest:
    """Train a bundle in which near, available, accepting providers win; return its manifest."""
    directory.mkdir(parents=True, exist_ok=True)
    matrix = make_matrix(REQUESTS * CANDIDATES, seed)
    labels = _labels(matrix, np.random.default_rng(seed + 1))
    for role, loss in _LOSSES.items():
        pool = Pool(
            matrix,
            labels[role],
            feature_names=list(MODEL_FEATURES),
            group_id=np.arange(len(matrix)) // CANDIDATES if role == "ranker" else None,
        )
        model = CatBoost(
            {
                "loss_function": loss,
                "iterations": iterations,
                "depth": 4,
                "learning_rate": 0.2,
                "random_seed": seed,
                "thread_count": 1,
                "allow_writing_files": False,
                "verbose": False,
            }
        )
        model.fit(pool).save_model(str(directory / f"{role}.cbm"))
    manifest = BundleManifest(
        version=f"test-{seed}-{iterations}",
        created_at="2026-01-01T00:00:00Z",
        seed=seed,
        features=MODEL_FEATURES,
        features_fingerprint=MODEL_FINGERPRINT,
        metrics={},
        calibration=Calibration(x=(0.0, 0.5, 1.0), y=(0.02, 0.45, 0.97)),
        models=ModelFiles(),
    )
    bundle_manifest.save(manifest, directory)
    return manifest


def make_matrix(rows: int, seed: int = 0) -> npt.NDArray[np.float32]:
    """Return a model matrix, float32 [rows, features], with a twentieth of its values unknown."""
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(rows, len(MODEL_FEATURES)))
    _set(matrix, "request_time__driver_distance_km", rng.uniform(0.5, 50, rows))
    _set(matrix, "request_time__is_available", (rng.random(rows) < 0.8).astype(float))
    _set(matrix, "request_time__promise_min", rng.choice([30.0, 45.0, 60.0], rows))
    distance = matrix[:, MODEL_FEATURES.index("request_time__driver_distance_km")]
    promise = matrix[:, MODEL_FEATURES.index("request_time__promise_min")]
    eta = 2.5 + distance * 1.35 * 60 / 52
    _set(matrix, "request_time__eta_min", eta)
    _set(matrix, "request_time__eta_margin_min", promise - eta)
    _set(matrix, "provider_history__acceptance_rate_30d", rng.uniform(0.3, 1, rows))
    _set(matrix, "provider_history__completion_rate_30d", rng.uniform(0.6, 1, rows))
    matrix[rng.random(matrix.shape) < 0.05] = np.nan
    return matrix.astype(np.float32)


def _set(matrix: npt.NDArray[np.float64], name: str, values: npt.NDArray[np.float64]) -> None:
    matrix[:, MODEL_FEATURES.index(name)] = values


def _labels(
    matrix: npt.NDArray[np.float32], rng: np.random.Generator
) -> dict[str, npt.NDArray[np.float64]]:
    def known(name: str, otherwise: float) -> npt.NDArray[np.float64]:
        return np.nan_to_num(matrix[:, MODEL_FEATURES.index(name)].astype(float), nan=otherwise)

    arrival = known("request_time__eta_min", 30.0) * rng.lognormal(0.05, 0.2, len(matrix))
    accepts = rng.random(len(matrix)) < (
        known("provider_history__acceptance_rate_30d", 0.6)
        * known("request_time__is_available", 0.5)
    )
    on_time = arrival <= known("request_time__promise_min", 45.0)
    grade = np.where(~accepts, 0, np.where(on_time, 3, 2)).astype(float)
    return {
        "ranker": grade,
        "eta_p50": arrival,
        "eta_p90": arrival,
        "success": (accepts & on_time).astype(float),
    }
