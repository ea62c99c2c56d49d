import pytest

from deploy.names import guardrail_alarms
from deploy.promotion.failures import RefusedError, RolledBackError
from deploy.promotion.steps.rollback import rollback
from deploy.promotion.steps.shadow import shadow
from tests.deploy.promotion.conftest import World
from tests.deploy.promotion.service import CAPTURES, FIRST, KEY


def _shadow(world: World, version: int, captures: str | None = CAPTURES) -> None:
    shadow(world.context, version, captures, capture_percent=20, bake_s=60)


def test_a_shadow_stands_beside_production_and_is_captured(world: World) -> None:
    """Production keeps all requests, the shadow has copies of all, and both are captured."""
    package = world.registered()
    _shadow(world, package.version)
    serving = world.context.endpoint.serving()
    assert serving.production.model == FIRST
    assert serving.shadow is not None
    assert (serving.shadow.model, serving.shadow.weight) == (package.model, 1.0)
    assert (serving.captures, serving.capture_percent) == (CAPTURES, 20)
    assert serving.before == FIRST


def test_what_is_not_changed_is_as_before(world: World) -> None:
    """Instances, keys, network, role and the container's settings are those of production."""
    package = world.registered()
    _shadow(world, package.version)
    config = world.resources.config(world.endpoint.config)
    assert config["KmsKeyId"] == KEY
    [variant], [copied] = config["ProductionVariants"], config["ShadowProductionVariants"]
    for name in ("InitialInstanceCount", "InstanceType"):
        assert copied[name] == variant[name]
    ours, theirs = world.resources.models[package.model], world.resources.models[FIRST]
    assert ours["VpcConfig"] == theirs["VpcConfig"]
    assert ours["ExecutionRoleArn"] == theirs["ExecutionRoleArn"]
    assert ours["PrimaryContainer"]["Environment"] == {"WORKERS": "2"}
    assert ours["PrimaryContainer"]["Image"] == "image-2"


def test_the_shadow_is_taken_away_again(world: World) -> None:
    """Rollback undoes it."""
    _shadow(world, world.registered().version)
    rollback(world.context)
    assert world.endpoint.config == FIRST


def test_production_that_does_not_stand_it_goes_back(world: World) -> None:
    """An alarm of production while the shadow joins ends the change."""

    def ring(config: str) -> None:
        world.alarms[guardrail_alarms("production")[0]] = "ALARM" if config != FIRST else "OK"

    world.endpoint.when = ring
    with pytest.raises(RolledBackError, match=f"{FIRST} serves"):
        _shadow(world, world.registered().version)
    assert world.endpoint.config == FIRST


def test_a_poor_evaluation_is_refused_with_each_reason(world: World) -> None:
    """The offline gate names every number that is not good enough; nothing is changed."""
    package = world.registered({"value_lost": 0.02, "p90_coverage_off": 0.1})
    with pytest.raises(RefusedError) as refused:
        _shadow(world, package.version)
    assert refused.value.reasons == (
        "offline: value_lost is 0.02, must be at most 0",
        "offline: p90_coverage_off is 0.1, must be at most 0.03",
    )
    assert world.endpoint.updates == []


def test_a_missing_number_of_the_evaluation_is_refused(world: World) -> None:
    """What was not measured is not good enough."""
    package = world.registered()
    world.storage.write(
        package.evaluation, b'{"version": "new", "test": {"requests": 9}, "gates": {}}'
    )
    with pytest.raises(RefusedError, match="value_over_rules is nan"):
        _shadow(world, package.version)


def test_a_second_shadow_is_refused(world: World) -> None:
    """There is one promotion at a time."""
    package = world.registered()
    _shadow(world, package.version)
    with pytest.raises(RefusedError, match="a promotion is under way"):
        _shadow(world, package.version)


def test_a_rejected_version_is_refused(world: World) -> None:
    """What somebody has said no to does not run."""
    package = world.registered()
    world.context.registry.reject(package, "no")
    with pytest.raises(RefusedError, match="was rejected"):
        _shadow(world, package.version)


def test_nowhere_to_capture_is_refused(world: World) -> None:
    """Without captures nothing could be compared afterwards."""
    with pytest.raises(RefusedError, match="say where with --captures"):
        _shadow(world, world.registered().version, None)


def test_a_busy_endpoint_is_refused(world: World) -> None:
    """A change that is under way is not disturbed."""
    world.endpoint.update({"EndpointConfigName": FIRST})
    with pytest.raises(RefusedError, match="is Updating, not InService"):
        _shadow(world, world.registered().version)
