"""Exact SHAP contributions at request time, by a table per tree made once at load.

In an oblivious tree every level asks one question of all rows, so the leaf that a row falls into
tells the answer to every split, and with it the row's SHAP values for that tree. A tree of depth
d therefore has at most 2^d different explanations: they are computed when the model is loaded,
and a request costs one ``calc_leaf_indexes``, one gather and one sum.

The game is the one CatBoost's ``ShapValues`` plays ("tree path dependent"): features outside the
coalition are averaged out by the training weight of the two sides of each split. Contributions
and expected value sum to the raw score for every row. One difference: where a leaf that no
training row reached has a value (training leaves it at 0, editing a model may not), CatBoost
weighs by the very rows that it explains, so a row's reasons depend on its company; here the
weights are always those of training.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
import numpy.typing as npt
from catboost import CatBoost, Pool

from scoring.endpoint.trees import ObliviousTree, TreeEnsemble, read_ensemble

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TreeTable:
    """The explanations of one tree.

    Attributes:
        features: Columns of the model matrix that the tree asks about, each once, k of them.
        values: Contribution of each feature in each leaf, float64 [k, leaves].
        expected: The tree's mean over its training rows.
    """

    features: tuple[int, ...]
    values: Floats
    expected: float


class ContributionTables:
    """Explains one model's raw scores; thread-safe, as nothing changes after it is made.

    Attributes:
        expected_score: The raw score of a row of which nothing is known.
        feature_count: Columns of the model matrix.
    """

    def __init__(self, ensemble: TreeEnsemble) -> None:
        tables = [tree_table(tree) for tree in ensemble.trees]
        self.feature_count = ensemble.feature_count
        self.expected_score = ensemble.bias + ensemble.scale * sum(t.expected for t in tables)
        # One row of the gather is one (tree, feature) pair. Pairs are sorted by feature, so that
        # a feature's contribution is the sum of neighbouring rows.
        pairs = sorted(
            (feature, tree_index, slot)
            for tree_index, table in enumerate(tables)
            for slot, feature in enumerate(table.features)
        )
        rows = [ensemble.scale * tables[tree].values[slot] for _, tree, slot in pairs]
        self._values = np.concatenate([np.empty(0), *rows])
        lengths = np.array([0, *(len(row) for row in rows)], dtype=np.intp)
        self._starts = np.cumsum(lengths)[:-1, None]
        self._trees = np.array([tree for _, tree, _ in pairs], dtype=np.intp)
        pair_features = np.array([feature for feature, _, _ in pairs], dtype=np.intp)
        self._features, self._first_pairs = np.unique(pair_features, return_index=True)

    @classmethod
    def from_model(cls, model: CatBoost) -> "ContributionTables":
        """Make the tables of a loaded model.

        Raises:
            UnsupportedModelError: The model is not oblivious, numeric and one-dimensional.
        """
        return cls(read_ensemble(model))

    def explain(self, leaf_indexes: npt.NDArray[np.uint32]) -> Floats:
        """Return contributions, float64 [n, feature_count], from leaf indexes [n, trees]."""
        contributions = np.zeros((self.feature_count, len(leaf_indexes)))
        if len(self._trees) and len(leaf_indexes):
            by_tree = np.ascontiguousarray(leaf_indexes.T, dtype=np.intp)
            positions = by_tree[self._trees]
            positions += self._starts
            # The positions are within bounds by construction; "clip" spares numpy a buffer.
            gathered = np.take(self._values, positions, mode="clip")
            contributions[self._features] = np.add.reduceat(gathered, self._first_pairs, axis=0)
        return contributions.T

    def explain_rows(self, model: CatBoost, rows: Pool | npt.NDArray[np.float32]) -> Floats:
        """Return contributions, float64 [n, feature_count], of rows [n, feature_count]."""
        return self.explain(model.calc_leaf_indexes(rows, thread_count=1))


def tree_table(tree: ObliviousTree) -> TreeTable:
    """Compute the SHAP values of every leaf of one tree."""
    features = tuple(dict.fromkeys(tree.split_features))
    coalitions = _coalitions(len(features))
    worth = _worth(tree, features, coalitions)
    values = _shapley_weights(coalitions) @ worth.reshape(len(coalitions), -1)
    return TreeTable(features, values, expected=float(worth[0].flat[0]))


def _coalitions(count: int) -> npt.NDArray[np.bool_]:
    """Return every subset of ``count`` features, bool [2^count, count]; the empty one first."""
    codes = np.arange(2**count)[:, None]
    members: npt.NDArray[np.bool_] = (codes >> np.arange(count)) & 1 == 1
    return members


def _worth(
    tree: ObliviousTree, features: Sequence[int], coalitions: npt.NDArray[np.bool_]
) -> Floats:
    """Return the tree's mean given that only a coalition's features are known.

    Levels are folded from the deepest to the root. Before a level is folded its axis stands for
    the side taken in the tree; after it, for the side that the explained row would take.

    Returns:
        float64 [coalitions, 2, ..., 2]: one axis a level, the root first.
    """
    shape = (2,) * tree.depth
    worth = np.broadcast_to(tree.leaf_values.reshape(shape), (len(coalitions), *shape))
    weights = tree.leaf_weights.reshape(shape)
    for level in reversed(range(tree.depth)):
        share = _side_shares(weights)
        sides = share.reshape(share.shape + (1,) * (tree.depth - level - 1))
        mean = (worth * sides).sum(axis=level + 1, keepdims=True)
        known = coalitions[:, features.index(tree.split_features[level])]
        worth = np.where(known.reshape(-1, *(1,) * tree.depth), worth, mean)
        weights = weights.sum(axis=-1)
    return worth


def _side_shares(weights: Floats) -> Floats:
    """Return each side's share of its parent's weight; halves where no training row came by."""
    total = weights.sum(axis=-1, keepdims=True)
    return np.divide(weights, total, out=np.full_like(weights, 0.5), where=total > 0)


def _shapley_weights(coalitions: npt.NDArray[np.bool_]) -> Floats:
    """Return the matrix that turns coalitions' worth into Shapley values, [k, 2^k]."""
    count = coalitions.shape[1]
    sizes = coalitions.sum(axis=1)
    orders = np.array([count * comb(count - 1, size) for size in range(count)], dtype=np.float64)
    joined = 1 / orders[np.maximum(sizes - 1, 0)]  # the feature is in: it joined the others
    absent = 1 / orders[np.minimum(sizes, count - 1)]
    return np.where(coalitions.T, joined, -absent)
