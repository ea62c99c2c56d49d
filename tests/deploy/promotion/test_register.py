import json
from pathlib import Path

import pytest

from deploy.promotion.failures import RefusedError
from deploy.promotion.operator import DeclinedError, Operator
from deploy.promotion.registry import PENDING, REJECTED
from deploy.promotion.steps.canary import canary
from deploy.promotion.steps.register import register
from deploy.promotion.steps.reject import reject
from tests.deploy.promotion.conftest import World, evaluation

TO = "s3://models/candidates"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle's directory, as far as packing looks at it, and its evaluation beside it."""
    directory = tmp_path / "bundle"
    directory.mkdir()
    manifest = {"version": "b1", "models": {"ranker": "ranker.cbm"}}
    (directory / "bundle.json").write_text(json.dumps(manifest))
    (directory / "ranker.cbm").write_bytes(b"model")
    (tmp_path / "evaluation.json").write_bytes(evaluation("b1", {}))
    return directory


def _register(world: World, bundle: Path) -> None:
    register(world.context, bundle, bundle.parent / "evaluation.json", TO, None)


def test_a_bundle_becomes_a_version_that_nobody_has_approved(world: World, bundle: Path) -> None:
    """Archive and evaluation are uploaded, and the version runs in production's container."""
    _register(world, bundle)
    package = world.context.registry.package(1)
    assert (package.status, package.image, package.bundle_version) == (PENDING, "image-1", "b1")
    assert package.model_data == f"{TO}/b1/model.tar.gz"
    assert set(world.storage.objects) == {package.model_data, package.evaluation}


def test_the_same_bundle_is_registered_once(world: World, bundle: Path) -> None:
    """Run again it does nothing."""
    _register(world, bundle)
    _register(world, bundle)
    assert [package.version for package in world.context.registry.packages()] == [1]


@pytest.mark.parametrize(
    ("gates", "version", "reason"),
    [
        ({"value_over_rules": -0.01}, "b1", "value_over_rules is -0.01, must be at least 0"),
        ({}, "b2", "is of 'b2', not of 'b1'"),
    ],
)
def test_a_bundle_that_was_not_found_good_is_refused(
    world: World, bundle: Path, gates: dict[str, float], version: str, reason: str
) -> None:
    """A gate that fails, or an evaluation of another bundle: nothing is uploaded."""
    (bundle.parent / "evaluation.json").write_bytes(evaluation(version, gates))
    with pytest.raises(RefusedError, match=reason):
        _register(world, bundle)
    assert not world.storage.objects


def test_no_bundle_is_refused(world: World, tmp_path: Path) -> None:
    """A directory without a bundle is told as one."""
    with pytest.raises(RefusedError, match="no model bundle"):
        _register(world, tmp_path / "none")


def test_nothing_is_done_that_nobody_agreed_to(
    world: World, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The plan is shown, and without --yes and without anybody to ask nothing happens."""
    context = world.context
    asking = type(context)(
        **{**{n: getattr(context, n) for n in context.__dataclass_fields__}, "operator": Operator()}
    )
    with pytest.raises(DeclinedError, match="--yes"):
        register(asking, bundle, bundle.parent / "evaluation.json", TO, None)
    assert "will: upload bundle b1" in capsys.readouterr().out
    assert not world.storage.objects


def test_reject_undoes_it(world: World, bundle: Path) -> None:
    """A rejected version is one that nothing runs."""
    _register(world, bundle)
    reject(world.context, 1)
    assert world.context.registry.package(1).status == REJECTED


def test_what_serves_is_not_rejected(world: World) -> None:
    """A version that answers requests is rolled back first."""
    canary(world.context, world.approved().version, 60)
    with pytest.raises(RefusedError, match="version 1 is served"):
        reject(world.context, 1)
