"""Scores one request's candidates with a bundle's four models, on the calling thread."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from catboost import CatBoost, Pool

from feature_repo.bundle_manifest import BundleManifest
from scoring.endpoint.contributions import ContributionTables

Float32s = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Scores:
    """What the bundle says of n candidates, in the order of the matrix's rows.

    Attributes:
        bundle_version: Of the bundle that answered.
        scores: The ranker's raw scores, higher is better, float32 [n].
        eta_p50_min: Median minutes to arrival, float32 [n], at least 0.
        eta_p90_min: 90th percentile of minutes to arrival, float32 [n], at least eta_p50_min.
        success_probability: Calibrated chance of success, float32 [n].
        explained_rows: The rows with contributions, best score first, int32 [k].
        contributions: What each feature added to the row's score, float32 [k, f].
        expected_score: What contributions are relative to: they sum to score less this.
    """

    bundle_version: str
    scores: Float32s
    eta_p50_min: Float32s
    eta_p90_min: Float32s
    success_probability: Float32s
    explained_rows: npt.NDArray[np.int32]
    contributions: Float32s
    expected_score: float


class Scorer:
    """A loaded bundle. Nothing changes after it is made, so threads may share one.

    Attributes:
        manifest: What the bundle says of itself.
        expected_score: The ranker's mean score over its training rows.
    """

    def __init__(self, manifest: BundleManifest, models: Mapping[str, CatBoost]) -> None:
        self.manifest = manifest
        self._ranker = models["ranker"]
        self._eta_p50 = models["eta_p50"]
        self._eta_p90 = models["eta_p90"]
        self._success = models["success"]
        self._tables = ContributionTables.from_model(self._ranker)
        self.expected_score = self._tables.expected_score
        self._calibration_x = np.asarray(manifest.calibration.x)
        self._calibration_y = np.asarray(manifest.calibration.y)

    @property
    def feature_count(self) -> int:
        """Columns of the matrix that ``score`` takes."""
        return len(self.manifest.features)

    def score(self, matrix: Float32s, explain_rows: int = 0) -> Scores:
        """Score candidates and explain the best of them.

        Args:
            matrix: The model matrix, float32 [n, feature_count], NaN for what is unknown; n >= 1.
            explain_rows: For how many rows, best score first, contributions are wanted.

        Raises:
            ValueError: The matrix has another shape or type.
        """
        self._check(matrix)
        pool = _pool(matrix)
        scores = self._raw(self._ranker, pool).astype(np.float32)
        p50 = np.maximum(self._raw(self._eta_p50, pool), 0.0)
        # Two quantiles fitted apart may cross; the 90th percentile is never below the median.
        p90 = np.maximum(self._raw(self._eta_p90, pool), p50)
        # Sorted as float32, so that who reads the answer gets the same order from it.
        best = np.argsort(-scores, kind="stable")[: max(explain_rows, 0)]
        return Scores(
            bundle_version=self.manifest.version,
            scores=scores,
            eta_p50_min=p50.astype(np.float32),
            eta_p90_min=p90.astype(np.float32),
            success_probability=self._success_probability(pool),
            explained_rows=best.astype(np.int32),
            contributions=self._contributions(matrix[best]),
            expected_score=self.expected_score,
        )

    def warm_up(self) -> None:
        """Score unknown rows once, so that the first request finds everything in memory."""
        self.score(np.full((8, self.feature_count), np.nan, dtype=np.float32), explain_rows=8)

    def _check(self, matrix: npt.NDArray[Any]) -> None:
        fits = matrix.ndim == 2 and len(matrix) > 0 and matrix.shape[1] == self.feature_count
        if not fits or matrix.dtype != np.float32:
            raise ValueError(
                f"matrix: {matrix.dtype} of shape {matrix.shape}, where float32 of shape "
                f"(1 or more, {self.feature_count}) is needed; make it with "
                "feature_repo.model_matrix.model_matrix"
            )

    def _success_probability(self, pool: Pool) -> Float32s:
        probability = 1 / (1 + np.exp(-self._raw(self._success, pool)))
        calibrated = np.interp(probability, self._calibration_x, self._calibration_y)
        return calibrated.astype(np.float32)

    def _contributions(self, rows: Float32s) -> Float32s:
        if not len(rows):
            return np.empty((0, self.feature_count), dtype=np.float32)
        return self._tables.explain_rows(self._ranker, _pool(rows)).astype(np.float32)

    @staticmethod
    def _raw(model: CatBoost, pool: Pool) -> npt.NDArray[np.float64]:
        # More threads are slower at this size, and requests already run beside each other.
        raw: npt.NDArray[np.float64] = model.predict(
            pool, prediction_type="RawFormulaVal", thread_count=1
        )
        return raw


def _pool(rows: Float32s) -> Pool:
    # CatBoost reads by column: one column-major copy serves all four models uncopied. By default it
    # would be taken in by as many threads as there are cores, which then spin for a while, each
    # time: as much processor time again as the scoring.
    return Pool(np.asfortranarray(rows), thread_count=1)
