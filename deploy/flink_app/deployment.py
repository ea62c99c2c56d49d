"""The order of a deployment: what is to be done, and doing it, with a way back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from deploy.flink_app.application import READY, RUNNING, Application, Restore
from deploy.flink_app.code import Code, is_uploaded, upload
from deploy.flink_app.failures import DeployError
from deploy.flink_app.progress import Progress
from deploy.flink_app.stack import ChangeSet, Stack, State

APPLICATION_KIND = "AWS::KinesisAnalyticsV2::Application"
CODE_BUCKET, CODE_OBJECT = "CodeBucket", "CodeObject"
"""The stack's parameters that say where the code lies."""


@dataclass(frozen=True)
class Clients:
    """boto3's clients of what is called."""

    s3: Any
    cloudformation: Any
    flink: Any


@dataclass(frozen=True)
class Wanted:
    """What shall be.

    Attributes:
        code: The zip that shall run.
        stack: The name of the stack.
        template: Its template, JSON.
        parameters: Values of its parameters, without those of the code.
        restore: With what state the application starts.
        snapshot: The snapshot that it starts from; the newest if not named.
    """

    code: Code
    stack: str
    template: str
    parameters: Mapping[str, str]
    restore: Restore
    snapshot: str | None = None


@dataclass(frozen=True)
class Plan:
    """What is to be done.

    Attributes:
        uploads: Whether the zip goes to S3.
        former: The stack before; None if there is none.
        change_set: The stack's changes; None if it stays.
        runs: Whether the application runs.
        restarts: Whether the changes are of the application, which stops and starts for them.
    """

    uploads: bool
    former: State | None
    change_set: ChangeSet | None
    runs: bool
    restarts: bool

    @property
    def is_empty(self) -> bool:
        """Whether all is as it shall be."""
        return not self.uploads and self.change_set is None and self.runs


class Deployment:
    """Brings a stack and its application to what is wanted."""

    def __init__(self, clients: Clients, wanted: Wanted, progress: Progress) -> None:
        self._s3 = clients.s3
        self._wanted = wanted
        self._progress = progress
        self._stack = Stack(clients.cloudformation, wanted.stack, progress)
        self._application = Application(clients.flink, application_name(wanted), progress)

    def plan(self) -> Plan:
        """Return what is to be done; changes nothing.

        Raises:
            DeployError: It cannot be done now, or not at all.
        """
        code = self._wanted.code
        former = self._stack.state()
        runs = former is not None and self._runs()
        uploads = not is_uploaded(self._s3, code)
        change_set = self._stack.propose(self._wanted.template, self._parameters())
        changed = (
            [c for c in change_set.changes if c.kind == APPLICATION_KIND] if change_set else []
        )
        if change_set and any(change.replaces or change.action == "Remove" for change in changed):
            self._stack.discard(change_set)
            raise DeployError(
                f"the change would replace application {self._application.name} and lose its "
                "snapshots; give a new one another stack (--stack), then delete this one"
            )
        return Plan(uploads, former, change_set, runs, restarts=runs and bool(changed))

    def forget(self, plan: Plan) -> None:
        """Take back what planning left with CloudFormation."""
        if plan.change_set:
            self._stack.discard(plan.change_set)

    def carry_out(self, plan: Plan) -> None:
        """Do what is to be done, and look whether it is.

        Raises:
            DeployError: A step failed. Where an application ran before, its former code runs again;
                where that failed too, the message says so.
        """
        if plan.uploads:
            self._progress.tell(f"Uploading {self._wanted.code.path} to {self._wanted.code.place}")
            upload(self._s3, self._wanted.code)
        if plan.restarts:
            try:
                self._pause()
            except DeployError:
                self.forget(plan)
                raise
        try:
            self._change_and_start(plan)
        except DeployError as error:
            if not plan.restarts or plan.former is None:
                raise
            self._progress.tell(f"Failed: {error}")
            self._go_back(plan.former, error)
        self.verify()

    def _runs(self) -> bool:
        status = self._application.status()
        if status not in {RUNNING, READY}:
            raise DeployError(
                f"application {self._application.name} is {status}; wait until it is {RUNNING} or "
                f"{READY} and run the same command again"
            )
        return status == RUNNING

    def _parameters(self) -> dict[str, str]:
        code = self._wanted.code
        return {**self._wanted.parameters, CODE_BUCKET: code.bucket, CODE_OBJECT: code.key}

    def _pause(self) -> None:
        """Stop the application with its state saved.

        The snapshot comes first, by itself: if it fails, nothing has changed and the job runs on.
        Stopping takes another, newer one, which is what the job starts from if it is there.
        """
        name = f"deploy-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"
        self._progress.tell(f"Taking snapshot {name}")
        self._application.snapshot(name)
        self._progress.tell(f"Stopping {self._application.name}")
        self._application.stop()

    def _change_and_start(self, plan: Plan) -> None:
        if plan.change_set:
            verb = _verb(plan.change_set).capitalize()
            self._progress.tell(f"{verb} stack {self._stack.name}")
            self._stack.execute(plan.change_set)
        if not plan.runs or plan.restarts:
            self._application.start(self._wanted.restore, self._wanted.snapshot)

    def _go_back(self, former: State, error: DeployError) -> None:
        """Have the former stack and code again, from the snapshot of the stop.

        Raises:
            DeployError: Always: the deployment failed, whether or not this does.
        """
        self._progress.tell("Going back to the former stack and code")
        try:
            if (status := self._application.status()) != READY:
                self._application.stop(status, force=True)
            given = {n: former.parameters[n] for n in self._parameters() if n in former.parameters}
            if change_set := self._stack.propose(former.template, given):
                self._stack.execute(change_set)
            self._application.start(Restore.SNAPSHOT)
        except DeployError as second:
            raise DeployError(
                f"{error}. Going back failed too: {second}. NOTHING RUNS: the snapshots are kept; "
                f"deploy the former zip, {former.parameters.get(CODE_OBJECT)}, again"
            ) from error
        raise DeployError(f"{error}. The former code runs again, from its last state") from error

    def verify(self) -> None:
        """Raise DeployError if the application is set to run other code than is wanted."""
        code = self._wanted.code
        if (found := self._application.code()) != (code.bucket, code.key):
            raise DeployError(
                f"application {self._application.name} is set to run s3://{'/'.join(found)}, "
                f"not {code.place}: it was changed beside its stack; put that back by hand"
            )


def application_name(wanted: Wanted) -> str:
    """Return the application's name, as the template has it.

    Raises:
        DeployError: The template has no application, or more than one.
    """
    resources = json.loads(wanted.template).get("Resources", {}).values()
    names = [r["Properties"]["ApplicationName"] for r in resources if r["Type"] == APPLICATION_KIND]
    if len(names) != 1:
        raise DeployError(
            f"the template of {wanted.stack} has {len(names)} resources {APPLICATION_KIND}, and "
            "should have one; make it with `python -m deploy.app`"
        )
    return str(names[0])


def describe(plan: Plan, wanted: Wanted) -> list[str]:
    """Return what is to be done, a line a step."""
    steps = [f"upload {wanted.code.path} to {wanted.code.place}"] if plan.uploads else []
    if plan.restarts:
        steps.append("take a snapshot, stop the application")
    if plan.change_set:
        steps.append(f"{_verb(plan.change_set)} stack {wanted.stack}:")
        steps.extend(f"  {change}" for change in plan.change_set.changes)
    if plan.restarts or not plan.runs:
        state = _state(wanted) if plan.former else "without state"
        steps.append(f"start the application {state}")
    return steps


def _verb(change_set: ChangeSet) -> str:
    return "create" if change_set.creates else "change"


def _state(wanted: Wanted) -> str:
    if wanted.restore is Restore.NOTHING:
        return "without state"
    which = wanted.snapshot or "the newest snapshot"
    return f"from {which}{', as far as it fits' * (wanted.restore is Restore.PARTIAL)}"
