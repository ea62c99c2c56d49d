from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from catboost import CatBoost, Pool, sum_models
from hypothesis import given, settings
from hypothesis import strategies as st

from feature_repo.model_matrix import MODEL_FEATURES, full_name
from feature_repo.schema import VIEWS, Kind
from scoring.endpoint.contributions import ContributionTables, tree_table
from scoring.endpoint.errors import UnsupportedModelError
from scoring.endpoint.trees import ObliviousTree, read_ensemble

Matrix = npt.NDArray[np.float32]


def _fitted(matrix: Matrix, labels: npt.NDArray[Any], **parameters: object) -> CatBoost:
    settings_ = {
        "iterations": 10,
        "thread_count": 1,
        "allow_writing_files": False,
        "verbose": False,
        "random_seed": 0,
        **parameters,
    }
    groups = np.arange(len(matrix)) // 8
    return CatBoost(settings_).fit(Pool(matrix, labels, group_id=groups))


def _random_matrix(rng: np.random.Generator, rows: int, columns: int) -> Matrix:
    """Return rounded values (many ties) of which a tenth is unknown."""
    matrix = rng.normal(size=(rows, columns)).round(1)
    matrix[rng.random(matrix.shape) < 0.1] = np.nan
    return matrix.astype(np.float32)


def _labels_of(matrix: Matrix, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    known = np.nan_to_num(matrix.astype(float))
    signal = known[:, 0] - known[:, 0] * known[:, -1] + rng.normal(size=len(matrix))
    grades: npt.NDArray[np.float64] = np.digitize(signal, [-1.0, 0.0, 1.0]).astype(float)
    return grades


def _assert_equals_catboost(model: CatBoost, rows: Matrix) -> None:
    tables = ContributionTables.from_model(model)
    theirs = model.get_feature_importance(Pool(rows), type="ShapValues", thread_count=1)
    ours = tables.explain_rows(model, rows)
    np.testing.assert_allclose(ours, theirs[:, :-1], atol=1e-5)
    assert tables.expected_score == pytest.approx(theirs[0, -1], abs=1e-5)


def _assert_adds_up(model: CatBoost, rows: Matrix) -> None:
    tables = ContributionTables.from_model(model)
    total = tables.explain_rows(model, rows).sum(axis=1) + tables.expected_score
    raw = model.predict(rows, prediction_type="RawFormulaVal", thread_count=1)
    np.testing.assert_allclose(total, raw, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    columns=st.integers(1, 7),
    depth=st.integers(1, 8),
    trees=st.integers(1, 12),
    rows=st.sampled_from([16, 80, 400]),
    loss=st.sampled_from(["RMSE", "YetiRank", "QueryRMSE", "PairLogitPairwise"]),
)
def test_equal_to_catboost_and_adding_up(
    *, seed: int, columns: int, depth: int, trees: int, rows: int, loss: str
) -> None:
    """Contributions equal CatBoost's own to 1e-5 and sum to the raw score, on any small model."""
    rng = np.random.default_rng(seed)
    matrix = _random_matrix(rng, rows, columns)
    model = _fitted(
        matrix, _labels_of(matrix, rng), depth=depth, iterations=trees, loss_function=loss
    )
    unseen = _random_matrix(rng, 50, columns)
    for sample in (matrix, unseen):
        _assert_equals_catboost(model, sample)
        _assert_adds_up(model, sample)


def _every_kind_of_feature(rows: int, rng: np.random.Generator) -> Matrix:
    """Return the model's own features, each of its kind: counts, yes or no, codes, shares, ages."""
    matrix = np.empty((rows, len(MODEL_FEATURES)), dtype=np.float32)
    kinds = {
        full_name(view.name, column.name): column.kind
        for view in VIEWS.values()
        for column in view.columns
    }
    for index, name in enumerate(MODEL_FEATURES):
        matrix[:, index] = _values(kinds.get(name), name, rows, rng)
    matrix[rng.random(matrix.shape) < 0.1] = np.nan
    return matrix


def _values(kind: Kind | None, name: str, rows: int, rng: np.random.Generator) -> npt.NDArray[Any]:
    if kind is Kind.BOOL or name.endswith("is_available"):
        return rng.integers(0, 2, rows)
    if kind in {Kind.INT32, Kind.INT64} or name.endswith("_code"):
        return rng.poisson(2, rows)
    if "rate" in name or "share" in name:
        return rng.beta(8, 2, rows)
    if "age_s" in name:
        return rng.exponential(30, rows)
    return rng.lognormal(2, 1, rows) * rng.choice([-1, 1], rows)


def test_every_feature_kind_of_the_model_with_its_own_loss() -> None:
    """Counts, flags, codes, shares and ages, unknown ones too, are explained as CatBoost does."""
    rng = np.random.default_rng(8)
    matrix = _every_kind_of_feature(1500, rng)
    known = np.nan_to_num(matrix.astype(float))
    gain = 1 / (1 + np.exp(-known @ rng.normal(size=matrix.shape[1]) / known.std(axis=0).sum()))
    model = _fitted(
        matrix, gain, depth=6, iterations=150, loss_function="CrossEntropy", learning_rate=0.1
    )
    asked = {feature for tree in read_ensemble(model).trees for feature in tree.split_features}
    assert len(asked) > len(MODEL_FEATURES) * 0.9
    unseen = _every_kind_of_feature(200, rng)
    _assert_equals_catboost(model, unseen)
    _assert_adds_up(model, unseen)


@pytest.mark.parametrize("depth", [1, 4, 8])
def test_a_feature_that_repeats_in_a_tree(depth: int) -> None:
    """A tree that asks about one feature at every level gives it the whole contribution."""
    rng = np.random.default_rng(1)
    matrix = _random_matrix(rng, 300, 1)
    model = _fitted(matrix, np.nan_to_num(matrix[:, 0]) ** 2, depth=depth, loss_function="RMSE")
    assert len(set(read_ensemble(model).trees[0].split_features)) == 1
    _assert_equals_catboost(model, matrix)


def test_scale_and_bias() -> None:
    """Scale and bias are explained too, also where CatBoost itself refuses."""
    rng = np.random.default_rng(2)
    matrix = _random_matrix(rng, 200, 4)
    model = _fitted(matrix, _labels_of(matrix, rng), depth=4, loss_function="RMSE")
    model.set_scale_and_bias(1.0, -5.0)
    _assert_equals_catboost(model, matrix)
    model.set_scale_and_bias(0.37, -5.0)  # CatBoost's ShapValues refuse a scale other than 1
    _assert_adds_up(model, matrix)


def test_leaves_without_weight_that_have_a_value() -> None:
    """Contributions add up even where a row falls into a leaf that training never reached."""
    rng = np.random.default_rng(3)
    matrix = _random_matrix(rng, 40, 4)
    model = _fitted(matrix, _labels_of(matrix, rng), depth=6, loss_function="RMSE")
    values, weights = model.get_leaf_values(), model.get_leaf_weights()
    assert (weights == 0).any()
    model.set_leaf_values(np.where(weights == 0, 1.0, values))
    _assert_adds_up(model, _random_matrix(rng, 300, 4))


def test_a_model_without_trees() -> None:
    """A model that learnt nothing explains every row with nothing."""
    matrix = np.ones((20, 3), dtype=np.float32)
    model = _fitted(_random_matrix(np.random.default_rng(4), 20, 3), np.arange(20.0), iterations=1)
    model.shrink(ntree_end=1)
    summed = sum_models([model], weights=[0.0])
    tables = ContributionTables.from_model(summed)
    assert tables.explain_rows(summed, matrix).shape == (20, 3)
    np.testing.assert_allclose(tables.explain_rows(summed, matrix), 0)


def test_no_rows() -> None:
    """No rows give no contributions, of the right width."""
    rng = np.random.default_rng(5)
    matrix = _random_matrix(rng, 40, 3)
    tables = ContributionTables.from_model(_fitted(matrix, _labels_of(matrix, rng), depth=2))
    leaf_indexes = np.empty((0, 10), dtype=np.uint32)
    assert tables.explain(leaf_indexes).shape == (0, 3)


def test_a_tree_worked_out_by_hand() -> None:
    """The last axis of a two-level tree is its deepest level, weighted within the root's sides."""
    tree = ObliviousTree(
        split_features=(7, 3),  # the root asks about 7, the next level about 3
        leaf_values=np.array([0.0, 4.0, 8.0, 8.0]),
        leaf_weights=np.array([3.0, 1.0, 2.0, 2.0]),
    )
    table = tree_table(tree)
    assert table.features == (7, 3)
    assert table.expected == 4.5  # (0*3 + 4*1 + 8*2 + 8*2) / 8
    # The second leaf: nothing 4.5; only 7 known 1.0; only 3 known (4 + 8) / 2 = 6; both 4.
    assert table.values[0][1] == pytest.approx(((1.0 - 4.5) + (4.0 - 6.0)) / 2)
    assert table.values[1][1] == pytest.approx(((6.0 - 4.5) + (4.0 - 1.0)) / 2)


def test_a_branch_that_training_never_reached() -> None:
    """Below a side that no training row took, both sides of a further split count alike."""
    tree = ObliviousTree(
        split_features=(7, 3),
        leaf_values=np.array([1.0, 3.0, 0.0, 0.0]),
        leaf_weights=np.array([0.0, 0.0, 1.0, 1.0]),
    )
    table = tree_table(tree)
    # The first leaf: nothing known 0; only 7 known (1 + 3) / 2 = 2; only 3 known 0; both 1.
    assert table.expected == 0.0
    assert table.values[0][0] == pytest.approx(((2.0 - 0.0) + (1.0 - 0.0)) / 2)
    assert table.values[1][0] == pytest.approx(((0.0 - 0.0) + (1.0 - 2.0)) / 2)


@pytest.mark.parametrize("policy", ["Lossguide", "Depthwise"])
def test_other_trees_are_refused(policy: str) -> None:
    """A model whose trees are not symmetric is refused with the setting to change."""
    rng = np.random.default_rng(6)
    matrix = _random_matrix(rng, 100, 3)
    model = _fitted(matrix, _labels_of(matrix, rng), grow_policy=policy, loss_function="RMSE")
    with pytest.raises(UnsupportedModelError, match="SymmetricTree"):
        ContributionTables.from_model(model)


def test_several_outputs_are_refused() -> None:
    """A model with several outputs a row is refused."""
    rng = np.random.default_rng(7)
    matrix = _random_matrix(rng, 100, 3)
    model = _fitted(matrix, _labels_of(matrix, rng), loss_function="MultiClass")
    with pytest.raises(UnsupportedModelError, match="outputs"):
        ContributionTables.from_model(model)


def test_categorical_features_are_refused() -> None:
    """A model with categorical features is refused."""
    rows = [[str(i % 3), float(i)] for i in range(60)]
    pool = Pool(rows, [float(i % 5) for i in range(60)], cat_features=[0])
    model = CatBoost(
        {"iterations": 5, "allow_writing_files": False, "verbose": False, "thread_count": 1}
    ).fit(pool)
    with pytest.raises(UnsupportedModelError, match="categorical"):
        ContributionTables.from_model(model)
