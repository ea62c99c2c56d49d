"""A CatBoost model's trees, read from its own JSON export: the only documented form of them."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from catboost import CatBoost

from scoring.endpoint.errors import UnsupportedModelError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ObliviousTree:
    """One symmetric tree.

    Attributes:
        split_features: Column asked about at each level, the root first; a column may repeat.
        leaf_values: float64 [2^depth]; bit (depth - 1 - level) of the index is the level's answer.
        leaf_weights: Training weight of each leaf, float64 [2^depth].
    """

    split_features: tuple[int, ...]
    leaf_values: Floats
    leaf_weights: Floats

    @property
    def depth(self) -> int:
        """Levels of the tree; 0 for a single leaf."""
        return len(self.split_features)


@dataclass(frozen=True)
class TreeEnsemble:
    """A model: raw score = bias + scale * sum of the trees' leaf values."""

    trees: tuple[ObliviousTree, ...]
    scale: float
    bias: float
    feature_count: int


class _FloatFeature(msgspec.Struct):
    flat_feature_index: int
    feature_index: int


class _FeaturesInfo(msgspec.Struct):
    float_features: list[_FloatFeature] = []
    categorical_features: list[dict[str, Any]] = []
    text_features: list[dict[str, Any]] = []
    embedding_features: list[dict[str, Any]] = []


class _Split(msgspec.Struct):
    split_type: str
    float_feature_index: int | None = None


class _Tree(msgspec.Struct):
    leaf_values: list[float]
    splits: list[_Split] | None = None
    leaf_weights: list[float] | None = None


class _Model(msgspec.Struct):
    features_info: _FeaturesInfo
    scale_and_bias: tuple[float, float | list[float]]
    oblivious_trees: list[_Tree] | None = None


def read_ensemble(model: CatBoost) -> TreeEnsemble:
    """Read the trees of a loaded model.

    Raises:
        UnsupportedModelError: The model has trees that are not oblivious, features that are not
            numbers, more than one dimension, or no leaf weights.
    """
    exported = _export(model)
    if exported.oblivious_trees is None:
        raise UnsupportedModelError(
            "the model's trees are not symmetric; train with grow_policy='SymmetricTree'"
        )
    info = exported.features_info
    if info.categorical_features or info.text_features or info.embedding_features:
        raise UnsupportedModelError(
            "the model has categorical, text or embedding features; encode them as numbers"
        )
    scale, bias = exported.scale_and_bias
    biases = bias if isinstance(bias, list) else [bias]
    if len(biases) > 1:
        raise UnsupportedModelError(
            f"the model has {len(biases)} outputs; use a loss function with one"
        )
    columns = {f.feature_index: f.flat_feature_index for f in info.float_features}
    return TreeEnsemble(
        trees=tuple(_tree(tree, columns) for tree in exported.oblivious_trees),
        scale=scale,
        bias=biases[0] if biases else 0.0,
        feature_count=len(model.feature_names_),
    )


def _export(model: CatBoost) -> _Model:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "model.json"
        model.save_model(str(path), format="json")
        return msgspec.json.decode(path.read_bytes(), type=_Model)


def _tree(tree: _Tree, columns: dict[int, int]) -> ObliviousTree:
    splits = tree.splits or []
    leaves = 2 ** len(splits)
    if len(tree.leaf_values) != leaves:
        raise UnsupportedModelError(
            f"a tree of depth {len(splits)} has {len(tree.leaf_values)} leaf values, not {leaves}: "
            "the model has several outputs; use a loss function with one"
        )
    if tree.leaf_weights is None or len(tree.leaf_weights) != leaves:
        raise UnsupportedModelError("the model has no leaf weights; save it as CatBoost made it")
    features = []
    for split in reversed(splits):  # CatBoost's last split is the root
        if split.split_type != "FloatFeature" or split.float_feature_index is None:
            raise UnsupportedModelError(
                f"the model splits on a {split.split_type}; only numeric features are explained"
            )
        features.append(columns[split.float_feature_index])
    return ObliviousTree(
        tuple(features), np.array(tree.leaf_values), np.array(tree.leaf_weights, dtype=np.float64)
    )
