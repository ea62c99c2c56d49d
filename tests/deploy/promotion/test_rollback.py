import pytest

from deploy.promotion.failures import RefusedError
from deploy.promotion.steps.canary import canary
from deploy.promotion.steps.rollback import rollback
from deploy.promotion.steps.status import status
from tests.deploy.promotion.conftest import World
from tests.deploy.promotion.service import FIRST


def test_after_a_promotion_the_former_model_serves_again(world: World) -> None:
    """All of it is undone at once, without a guard: an alarm must not bar the way back."""
    canary(world.context, world.approved().version, 60)
    rollback(world.context)
    assert world.endpoint.config == FIRST
    assert "DeploymentConfig" not in world.endpoint.updates[-1]


def test_two_promotions_are_undone_one_after_the_other(world: World) -> None:
    """Each rollback goes back by one promotion."""
    canary(world.context, world.approved().version, 60)
    first = world.context.endpoint.serving()
    again = world.approved(first.production.model)
    canary(world.context, again.version, 60)
    rollback(world.context)
    assert world.endpoint.config == first.config
    rollback(world.context)
    assert world.endpoint.config == FIRST


def test_a_change_under_way_is_called_off_first(world: World) -> None:
    """While SageMaker changes the endpoint, an alarm is tripped; then it goes back."""
    package = world.approved()
    canary(world.context, package.version, 60)
    share = world.endpoint.updates[2]
    world.endpoint.config = world.endpoint.updates[1]["EndpointConfigName"]
    world.endpoint.update(share)
    rollback(world.context)
    assert world.measurements.tripped
    assert world.endpoint.config == FIRST


def test_nothing_to_go_back_to_is_refused(world: World) -> None:
    """The configuration of the infrastructure has nothing before it."""
    with pytest.raises(RefusedError, match="nothing is known to have served before 'first'"):
        rollback(world.context)


def test_the_status_says_what_is_missing(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """What serves, each alarm or that it is missing, and the versions with their state."""
    world.approved()
    world.alarms.popitem()
    status(world.context)
    told = capsys.readouterr().out
    assert "production first 100% (first)" in told
    assert "MISSING" in told
    assert "version 1: Approved, compared with first" in told
