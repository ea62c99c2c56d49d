"""What the deployment does when a step fails; the way it goes well is tried on the emulator."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.flink_app import code
from deploy.flink_app.application import Restore
from deploy.flink_app.deployment import Deployment, Plan, Wanted
from deploy.flink_app.failures import DeployError
from deploy.flink_app.progress import Progress
from deploy.flink_app.stack import ChangeSet, State
from tests.deploy.flink_app.stubs import ARN, NAME, STACK, Stubs

TEMPLATE = json.dumps(
    {
        "Parameters": {"CodeBucket": {}, "CodeObject": {}, "RedisUrl": {}},
        "Resources": {
            "Application": {
                "Type": "AWS::KinesisAnalyticsV2::Application",
                "Properties": {"ApplicationName": NAME},
            }
        },
    }
)
FORMER = State(TEMPLATE, {"CodeBucket": "code", "CodeObject": "flink-app/old.zip", "RedisUrl": "r"})
CHANGE_SET = ChangeSet(ARN, creates=False, changes=())
RESTART = Plan(uploads=False, former=FORMER, change_set=CHANGE_SET, runs=True, restarts=True)


@pytest.fixture
def stubs() -> Iterator[Stubs]:
    """AWS as the test says; every answer must have been asked for."""
    stubs = Stubs()
    yield stubs
    stubs.check()


@pytest.fixture
def wanted(tmp_path: Path) -> Wanted:
    """A zip in a bucket, with nothing else changed."""
    path = tmp_path / "flink-app.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("main.py", "")
    return Wanted(code.inspect(path, "code"), STACK, TEMPLATE, {}, Restore.SNAPSHOT)


@pytest.fixture
def deployment(stubs: Stubs, wanted: Wanted) -> Deployment:
    """A deployment that does not wait."""
    progress = Progress(lambda _: None, poll_s=0, patience_s=60)
    return Deployment(stubs.clients, wanted, progress)


def _is_uploaded(stubs: Stubs, wanted: Wanted) -> None:
    stubs.s3("head_bucket", {})
    stubs.s3("head_object", {"ContentLength": wanted.code.size_bytes})


def _stack_stands(stubs: Stubs) -> None:
    stubs.stack_is("UPDATE_COMPLETE", **FORMER.parameters)
    stubs.stack("get_template", {"TemplateBody": TEMPLATE})


def _pauses(stubs: Stubs) -> None:
    stubs.takes_snapshot("CREATING", "READY")
    stubs.stops("STOPPING", "READY")


def _changes(stubs: Stubs, *statuses: str) -> None:
    stubs.stack_is("CREATE_COMPLETE")
    stubs.stack("execute_change_set", {}, ChangeSetName=ARN)
    for status in statuses:
        stubs.stack_is(status, updated="2026-11-02T00:00:00Z")


def _goes_back(stubs: Stubs) -> None:
    stubs.stack_is("UPDATE_COMPLETE", **FORMER.parameters)
    stubs.change_set()
    _changes(stubs, "UPDATE_COMPLETE")


@pytest.mark.parametrize("status", ["STARTING", "UPDATING", "AUTOSCALING", "DELETING"])
def test_a_busy_application_is_left_alone(
    stubs: Stubs, deployment: Deployment, status: str
) -> None:
    """While the service works on the application nothing is planned, and it is named."""
    _stack_stands(stubs)
    stubs.application_is(status)
    with pytest.raises(DeployError, match=f"{NAME} is {status}; wait"):
        deployment.plan()


@pytest.mark.parametrize("status", ["UPDATE_IN_PROGRESS", "ROLLBACK_COMPLETE"])
def test_a_stack_that_cannot_be_changed_is_left_alone(
    stubs: Stubs, deployment: Deployment, status: str
) -> None:
    """While somebody else changes the stack, or it is broken, nothing is planned."""
    stubs.stack_is(status)
    with pytest.raises(DeployError, match=f"stack {STACK} is {status} and cannot be changed"):
        deployment.plan()


def test_a_change_that_loses_the_state_is_refused(
    stubs: Stubs, wanted: Wanted, deployment: Deployment
) -> None:
    """A new application in the place of the old one has none of its snapshots."""
    _stack_stands(stubs)
    stubs.application_is("RUNNING")
    _is_uploaded(stubs, wanted)
    stubs.stack_is("UPDATE_COMPLETE", **FORMER.parameters)
    change = {
        "Action": "Modify",
        "LogicalResourceId": "Application",
        "ResourceType": "AWS::KinesisAnalyticsV2::Application",
        "Replacement": "True",
    }
    stubs.change_set(Changes=[{"Type": "Resource", "ResourceChange": change}])
    stubs.stack("delete_change_set", {}, ChangeSetName=ARN)
    with pytest.raises(DeployError, match="lose its snapshots"):
        deployment.plan()


def test_what_cloudformation_refuses_is_told(
    stubs: Stubs, wanted: Wanted, deployment: Deployment
) -> None:
    """A first deployment without its parameters names them, and leaves no empty stack."""
    stubs.no_stack()
    _is_uploaded(stubs, wanted)
    stubs.no_stack()
    stubs.stack_refuses(
        "create_change_set", "ValidationError", "Parameters: [RedisUrl] must have values"
    )
    with pytest.raises(DeployError, match=r"ValidationError: Parameters: \[RedisUrl\] must have"):
        deployment.plan()


def test_a_plan_leaves_no_empty_stack(stubs: Stubs, deployment: Deployment) -> None:
    """A stack that a plan alone had CloudFormation make is gone with the plan."""
    change_set = ChangeSet(ARN, creates=True, changes=())
    stubs.stack("delete_change_set", {}, ChangeSetName=ARN)
    stubs.stack("delete_stack", {}, StackName=STACK)
    deployment.forget(
        Plan(uploads=True, former=None, change_set=change_set, runs=False, restarts=False)
    )


def test_parameters_not_given_keep_their_values(
    stubs: Stubs, wanted: Wanted, deployment: Deployment
) -> None:
    """The change names the new code and leaves the store's address as it is."""
    _stack_stands(stubs)
    stubs.application_is("RUNNING")
    _is_uploaded(stubs, wanted)
    stubs.stack_is("UPDATE_COMPLETE", **FORMER.parameters)
    asked: list[Any] = []
    stubs.clients.cloudformation.meta.events.register(
        "provide-client-params.cloudformation.CreateChangeSet",
        lambda params, **_: asked.extend(params["Parameters"]),
    )
    stubs.change_set()
    deployment.plan()
    assert asked == [
        {"ParameterKey": "CodeBucket", "ParameterValue": "code"},
        {"ParameterKey": "CodeObject", "ParameterValue": wanted.code.key},
        {"ParameterKey": "RedisUrl", "UsePreviousValue": True},
    ]


def test_a_snapshot_that_fails_leaves_the_job_running(stubs: Stubs, deployment: Deployment) -> None:
    """Nothing is stopped or changed without a snapshot, and the change is forgotten."""
    stubs.takes_snapshot("CREATING", "FAILED")
    stubs.stack("delete_change_set", {}, ChangeSetName=ARN)
    with pytest.raises(DeployError, match=f"snapshot deploy-.* of {NAME} is FAILED"):
        deployment.carry_out(RESTART)


def test_a_snapshot_that_is_refused_leaves_the_job_running(
    stubs: Stubs, deployment: Deployment
) -> None:
    """The service's refusal is told with its code and with what to do."""
    stubs.flink_refuses("create_application_snapshot", "ResourceInUseException")
    stubs.stack("delete_change_set", {}, ChangeSetName=ARN)
    with pytest.raises(DeployError, match=r"ResourceInUseException: not now; somebody else"):
        deployment.carry_out(RESTART)


def test_code_that_does_not_start_is_taken_back(stubs: Stubs, deployment: Deployment) -> None:
    """The former code is in the stack again and runs from the snapshot of the stop."""
    _pauses(stubs)
    _changes(stubs, "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE")
    stubs.starts("STARTING", "READY", snapshot="stop-1")
    stubs.application_is("READY")  # stopped already, so it is not stopped again
    _goes_back(stubs)
    stubs.starts("STARTING", "RUNNING", snapshot="stop-1")
    with pytest.raises(DeployError, match=r"did not start from snapshot stop-1.*former code runs"):
        deployment.carry_out(RESTART)


def test_code_whose_start_hangs_is_stopped_and_taken_back(stubs: Stubs, wanted: Wanted) -> None:
    """What still starts when the patience is over is stopped by force, without a snapshot."""
    impatient = Progress(lambda _: None, poll_s=0, patience_s=-1)
    stubs.takes_snapshot("READY")
    stubs.stops("READY")
    _changes(stubs, "UPDATE_COMPLETE")
    stubs.starts("STARTING", snapshot="stop-1")
    stubs.application_is("STARTING")
    stubs.stops("READY", force=True)
    _goes_back(stubs)
    stubs.starts("RUNNING", snapshot="stop-1")
    with pytest.raises(DeployError, match=r"is still STARTING after.*former code runs"):
        Deployment(stubs.clients, wanted, impatient).carry_out(RESTART)


def test_a_stack_that_somebody_else_changes_meanwhile_is_not_waited_for(
    stubs: Stubs, deployment: Deployment
) -> None:
    """The change that is refused is told, and the former code starts again."""
    _pauses(stubs)
    stubs.stack_is("UPDATE_COMPLETE")
    stubs.stack_refuses("execute_change_set", "InvalidChangeSetStatus", "stack is being updated")
    stubs.application_is("READY")
    stubs.stack_is("UPDATE_COMPLETE", **FORMER.parameters)
    stubs.change_set(
        Status="FAILED", StatusReason="The submitted information didn't contain changes"
    )
    stubs.stack("delete_change_set", {}, ChangeSetName=ARN)
    stubs.starts("RUNNING", snapshot="stop-1")
    with pytest.raises(DeployError, match=r"InvalidChangeSetStatus.*former code runs"):
        deployment.carry_out(RESTART)


def test_a_way_back_that_fails_is_shouted(stubs: Stubs, deployment: Deployment) -> None:
    """When nothing runs the message says so, with both failures and the former code's key."""
    _pauses(stubs)
    _changes(stubs, "UPDATE_COMPLETE")
    stubs.starts("STARTING", "READY", snapshot="stop-1")
    stubs.application_is("READY")
    _goes_back(stubs)
    stubs.snapshots(newest="READY")
    stubs.flink_refuses("start_application", "ConcurrentModificationException")
    with pytest.raises(DeployError) as failed:
        deployment.carry_out(RESTART)
    for words in ("did not start", "ConcurrentModification", "NOTHING RUNS", "flink-app/old.zip"):
        assert words in str(failed.value)


def test_the_state_from_before_is_no_end(stubs: Stubs, wanted: Wanted) -> None:
    """A service that still tells the former state when it was asked to change is waited for."""
    stubs.takes_snapshot("READY")
    stubs.stops("RUNNING", "STOPPING", "READY")
    stubs.stack_is("UPDATE_COMPLETE", updated="2026-11-01T00:00:00Z")
    stubs.stack("execute_change_set", {}, ChangeSetName=ARN)
    stubs.stack_is("UPDATE_COMPLETE", updated="2026-11-01T00:00:00Z")
    stubs.stack_is("UPDATE_COMPLETE", updated="2026-11-01T00:00:01Z")
    stubs.starts("READY", "STARTING", "RUNNING", snapshot="stop-1")
    stubs.application_is("RUNNING", key=wanted.code.key)
    told: list[str] = []
    Deployment(stubs.clients, wanted, Progress(told.append, poll_s=0)).carry_out(RESTART)
    assert told[-1].startswith(f"  application {NAME} is RUNNING")


def test_code_that_was_changed_by_hand_is_told(stubs: Stubs, deployment: Deployment) -> None:
    """An application that is set to run other code than its stack says is no success."""
    plan = Plan(uploads=False, former=FORMER, change_set=None, runs=True, restarts=False)
    stubs.application_is("RUNNING", key="by-hand.zip")
    with pytest.raises(DeployError, match=r"s3://code/by-hand\.zip, not .*beside its stack"):
        deployment.carry_out(plan)


@pytest.mark.parametrize(
    ("restore", "partial"), [(Restore.SNAPSHOT, False), (Restore.PARTIAL, True)]
)
def test_state_is_dropped_only_if_that_is_asked(
    stubs: Stubs, wanted: Wanted, restore: Restore, *, partial: bool
) -> None:
    """The newest snapshot that is ready is restored whole, or as far as it fits if told so."""
    wanted = Wanted(wanted.code, STACK, TEMPLATE, {}, restore)
    plan = Plan(uploads=False, former=FORMER, change_set=None, runs=False, restarts=False)
    stubs.starts("RUNNING", snapshot="newest", partial=partial)
    stubs.application_is("RUNNING", key=wanted.code.key)
    Deployment(stubs.clients, wanted, Progress(lambda _: None, poll_s=0)).carry_out(plan)
