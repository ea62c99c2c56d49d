import pytest

from deploy.names import guardrail_alarms
from deploy.promotion.evidence import Measured
from deploy.promotion.failures import RefusedError, RolledBackError
from deploy.promotion.steps.canary import canary
from tests.deploy.promotion.conftest import World
from tests.deploy.promotion.service import FIRST

BAKE_S = 600
STAGES = [
    {"production": 100, "candidate": 0},
    {"production": 95, "candidate": 5},
    {"production": 75, "candidate": 25},
    {"production": 100, "candidate": 0},
    {"production": 1},
]
BACK = {"production": 1}


def test_a_version_gets_5_and_25_percent_and_then_all(world: World) -> None:
    """The candidate joins without requests, gets 5 and 25 %, takes production's place, leaves."""
    package = world.approved()
    canary(world.context, package.version, BAKE_S)
    assert world.weights() == STAGES
    serving = world.context.endpoint.serving()
    assert (serving.production.model, serving.is_settled) == (package.model, True)
    assert serving.before == FIRST


def test_every_share_of_requests_is_guarded_by_all_alarms(world: World) -> None:
    """Each change that moves requests is blue/green, bakes, and ends at any of the six alarms."""
    canary(world.context, world.approved().version, BAKE_S)
    guards = [asked.get("DeploymentConfig") for asked in world.endpoint.updates]
    assert [guard is not None for guard in guards] == [False, True, True, True, False]
    alarms = {*guardrail_alarms("candidate"), *guardrail_alarms("production")}
    for guard in filter(None, guards):
        named = guard["AutoRollbackConfiguration"]["Alarms"]
        assert {alarm["AlarmName"] for alarm in named} == alarms
        assert guard["BlueGreenUpdatePolicy"]["TerminationWaitInSeconds"] == BAKE_S


def test_guarded_changes_keep_the_names_of_the_variants(world: World) -> None:
    """SageMaker guards a change only between configurations of the same variants."""
    canary(world.context, world.approved().version, BAKE_S)
    names = [set(weights) for weights in [{"production": 1}, *world.weights()]]
    guarded = ["DeploymentConfig" in asked for asked in world.endpoint.updates]
    changes = zip(names[:-1], names[1:], guarded, strict=True)
    assert all(before == after for before, after, guard in changes if guard)


@pytest.mark.parametrize("share", [5, 25, 100])
@pytest.mark.parametrize("alarm", [*guardrail_alarms("candidate"), *guardrail_alarms("production")])
def test_an_alarm_at_any_share_brings_production_back(
    world: World, share: int, alarm: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whichever alarm rings, production serves alone again, and who was hurt is told."""

    def ring(config: str) -> None:
        world.alarms[alarm] = "ALARM" if f"canary-{share}-" in config else "OK"

    world.endpoint.when = ring
    world.measurements.of["candidate"] = Measured(150, 3, 5.0, 400.0)
    with pytest.raises(RolledBackError, match=f"{alarm}; {FIRST} serves"):
        canary(world.context, world.approved().version, BAKE_S)
    assert world.endpoint.config == FIRST
    told = capsys.readouterr().out
    assert "candidate: 150 of 1150 requests (13.0%), 3 answered with 5xx, p99 400 ms" in told


def test_a_share_that_nobody_asked_proves_nothing(world: World) -> None:
    """Too few requests of the candidate end the canary, though no alarm rang."""
    world.measurements.of["candidate"] = Measured(9, 0, 5.0, 20.0)
    with pytest.raises(RolledBackError, match="requests answered is 9, must be at least 100"):
        canary(world.context, world.approved().version, BAKE_S)
    assert world.weights() == [*STAGES[:2], BACK]
    assert world.endpoint.config == FIRST


def test_an_alarm_that_sees_nothing_at_the_end_of_a_share_proves_nothing(world: World) -> None:
    """A guardrail without data may begin a canary, and ends it after the first share."""
    silent = guardrail_alarms("candidate")[2]
    world.alarms[silent] = "INSUFFICIENT_DATA"
    with pytest.raises(RolledBackError, match=f"{silent}.*INSUFFICIENT_DATA"):
        canary(world.context, world.approved().version, BAKE_S)
    assert world.weights() == [*STAGES[:2], BACK]


def test_the_alarms_of_a_variant_without_requests_are_not_asked_for_proof(world: World) -> None:
    """At 100 % nobody asks the candidate's variant: that its alarms have no data stops nothing."""

    def silence(config: str) -> None:
        for name in guardrail_alarms("candidate"):
            world.alarms[name] = "INSUFFICIENT_DATA" if "canary-100-" in config else "OK"

    world.endpoint.when = silence
    canary(world.context, world.approved().version, BAKE_S)
    assert world.weights() == STAGES


def test_interrupted_it_goes_back(world: World) -> None:
    """Ctrl-C while a share bakes: an alarm is tripped, so that SageMaker ends the change."""
    pressed = []

    def press(config: str) -> None:
        if "canary-25-" in config and not pressed:
            pressed.append(config)
            raise KeyboardInterrupt

    world.endpoint.when = press
    with pytest.raises(RolledBackError, match=f"interrupted by the operator; {FIRST} serves"):
        canary(world.context, world.approved().version, BAKE_S)
    assert world.measurements.tripped
    assert world.endpoint.config == FIRST


def _missing(world: World) -> None:
    del world.alarms[guardrail_alarms("candidate")[0]]


def _ringing(world: World) -> None:
    world.alarms[guardrail_alarms("production")[1]] = "ALARM"


@pytest.mark.parametrize(
    ("spoil", "reason"), [(_missing, "there is no alarm"), (_ringing, "is in ALARM before")]
)
def test_without_guardrails_it_is_refused(world: World, spoil: object, reason: str) -> None:
    """An alarm that is missing, or rings already, refuses the canary; nothing is changed."""
    assert callable(spoil)
    spoil(world)
    with pytest.raises(RefusedError, match=reason):
        canary(world.context, world.approved().version, BAKE_S)
    assert world.endpoint.updates == []


def test_what_nobody_approved_is_refused(world: World) -> None:
    """Only a version that compare has approved goes on canary."""
    with pytest.raises(RefusedError, match="PendingManualApproval, not Approved; run shadow"):
        canary(world.context, world.registered().version, BAKE_S)
    assert world.endpoint.updates == []


def test_what_was_compared_with_another_production_is_refused(world: World) -> None:
    """An approval holds beside the model that it was compared with, not beside any later one."""
    with pytest.raises(RefusedError, match="compared with 'old', but 'first' is in production"):
        canary(world.context, world.approved("old").version, BAKE_S)


def test_a_second_canary_is_refused(world: World) -> None:
    """While one candidate has requests, no other gets any."""
    package = world.approved()
    world.measurements.of["candidate"] = Measured(9, 0, 5.0, 20.0)
    with pytest.raises(RolledBackError):
        canary(world.context, package.version, BAKE_S)
    world.endpoint.config = world.endpoint.updates[1]["EndpointConfigName"]
    with pytest.raises(RefusedError, match="a canary is under way"):
        canary(world.context, package.version, BAKE_S)


def test_an_unknown_version_is_refused_with_those_there_are(world: World) -> None:
    """A mistyped version is told the ones that there are."""
    world.registered()
    with pytest.raises(RefusedError, match="no version 7; there are 1"):
        canary(world.context, 7, BAKE_S)
