"""A CloudFormation stack, changed by change sets: seen before it is done."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from deploy.flink_app.failures import DeployError, refusals
from deploy.flink_app.progress import Progress

TEMPLATE_LIMIT_BYTES = 51_200
"""CloudFormation's, for a template that is sent along."""

_UNCHANGED = ("didn't contain changes", "No updates are to be performed")
_IN_PROGRESS = tuple(
    f"{operation}_IN_PROGRESS"
    for operation in (
        "CREATE", "UPDATE", "UPDATE_COMPLETE_CLEANUP", "ROLLBACK", "UPDATE_ROLLBACK",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP", "DELETE",
    )
)  # fmt: skip
_NOT_YET = "REVIEW_IN_PROGRESS"
"""What a stack is called that has a change set and nothing else."""

_USABLE = frozenset(
    {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"}
)


@dataclass(frozen=True)
class State:
    """A stack as it is.

    Attributes:
        template: Its template.
        parameters: Their values by name.
    """

    template: str
    parameters: Mapping[str, str]


@dataclass(frozen=True)
class Change:
    """What happens to one resource.

    Attributes:
        action: ``Add``, ``Modify`` or ``Remove``.
        name: The resource's name in the template.
        kind: Its type, such as ``AWS::IAM::Role``.
        replaces: Whether a new resource takes its place.
    """

    action: str
    name: str
    kind: str
    replaces: bool

    def __str__(self) -> str:
        """The change in a line."""
        return f"{self.action} {self.kind} {self.name}{', by a new one' * self.replaces}"


@dataclass(frozen=True)
class ChangeSet:
    """Changes that wait to be made.

    Attributes:
        arn: Names them to CloudFormation.
        creates: Whether the stack is new.
        changes: What they are.
    """

    arn: str
    creates: bool
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Stack:
    """A stack in CloudFormation.

    Attributes:
        client: boto3's for CloudFormation.
        name: The stack's.
        progress: How to tell and wait.
    """

    client: Any
    name: str
    progress: Progress

    def state(self) -> State | None:
        """Return the stack as it is, or None if there is none.

        Raises:
            DeployError: It is being changed, or is in no state that can be.
        """
        if (described := self._describe()) is None:
            return None
        if described["StackStatus"] not in _USABLE:
            raise DeployError(
                f"stack {self.name} is {described['StackStatus']} and cannot be changed; wait if "
                "it is in progress, delete it if it never was complete, else continue its roll-back"
            )
        with refusals(f"Reading the template of stack {self.name}"):
            template = self.client.get_template(StackName=self.name)["TemplateBody"]
        parameters = {
            p["ParameterKey"]: p["ParameterValue"] for p in described.get("Parameters", ())
        }
        return State(_text(template), parameters)

    def propose(self, template: str, given: Mapping[str, str]) -> ChangeSet | None:
        """Ask what would change; return None if nothing would.

        Args:
            template: The template, JSON.
            given: Parameters' values; the others keep theirs, or have the template's.

        Raises:
            DeployError: The template is too long or refused, or a parameter is missing.
        """
        body = json.dumps(json.loads(template), separators=(",", ":"))
        if len(body.encode()) > TEMPLATE_LIMIT_BYTES:
            raise DeployError(
                f"the template of {self.name} has {len(body.encode())} bytes; "
                f"{TEMPLATE_LIMIT_BYTES} can be sent: split the stack"
            )
        described = self._describe()
        known = {p["ParameterKey"] for p in (described or {}).get("Parameters", ())}
        kept = (known & set(json.loads(template).get("Parameters", {}))) - set(given)
        with refusals(f"Proposing a change of stack {self.name}"):
            arn = self.client.create_change_set(
                StackName=self.name,
                ChangeSetName=f"deploy-{time.time_ns()}",
                ChangeSetType="UPDATE" if described else "CREATE",
                TemplateBody=body,
                Parameters=[
                    *({"ParameterKey": k, "ParameterValue": v} for k, v in sorted(given.items())),
                    *({"ParameterKey": k, "UsePreviousValue": True} for k in sorted(kept)),
                ],
                Capabilities=["CAPABILITY_IAM"],
            )["Id"]
        return self._proposed(arn, creates=described is None)

    def execute(self, change_set: ChangeSet) -> None:
        """Make the changes and wait until they are made.

        Raises:
            DeployError: They failed; CloudFormation took them back then.
        """
        before = None if change_set.creates else self._last_updated()
        with refusals(f"Changing stack {self.name}"):
            self.client.execute_change_set(ChangeSetName=change_set.arn)

        def read() -> str:
            described = self._describe()
            # What stood before the change may be told for a moment more, and looks like success.
            if described is None or (before and described.get("LastUpdatedTime", before) == before):
                return _IN_PROGRESS[0]
            return str(described["StackStatus"])

        status = self.progress.settled(f"stack {self.name}", read, _IN_PROGRESS)
        if status != ("CREATE_COMPLETE" if change_set.creates else "UPDATE_COMPLETE"):
            raise DeployError(f"stack {self.name} is {status}: {self._reason()}")

    def discard(self, change_set: ChangeSet) -> None:
        """Forget changes that shall not be made."""
        with refusals(f"Discarding a change of stack {self.name}"):
            self.client.delete_change_set(ChangeSetName=change_set.arn)
            if change_set.creates:
                self.client.delete_stack(StackName=self.name)

    def _describe(self) -> dict[str, Any] | None:
        with refusals(f"Reading stack {self.name}"):
            try:
                described: dict[str, Any] = self.client.describe_stacks(StackName=self.name)[
                    "Stacks"
                ][0]
            except ClientError as error:
                if "does not exist" in error.response["Error"]["Message"]:
                    return None
                raise
        return None if described["StackStatus"] == _NOT_YET else described

    def _last_updated(self) -> datetime | None:
        """Return when the newest change of the stack began; None if it is gone."""
        described = self._describe() or {}
        at: datetime | None = described.get("LastUpdatedTime", described.get("CreationTime"))
        return at

    def _proposed(self, arn: str, *, creates: bool) -> ChangeSet | None:
        described: dict[str, Any] = {}

        def status() -> str:
            with refusals(f"Reading a proposed change of stack {self.name}"):
                described.update(self.client.describe_change_set(ChangeSetName=arn))
            return str(described["Status"])

        pending = ("CREATE_PENDING", "CREATE_IN_PROGRESS")
        quiet = Progress(lambda _: None, min(self.progress.poll_s, 1.0), self.progress.patience_s)
        failed = quiet.settled(f"the change set of {self.name}", status, pending) == "FAILED"
        changes = tuple(_change(c["ResourceChange"]) for c in described.get("Changes", ()))
        change_set = ChangeSet(arn, creates, changes)
        if failed:
            self.discard(change_set)
            reason = described.get("StatusReason", "no reason given")
            if any(words in reason for words in _UNCHANGED):
                return None
            raise DeployError(f"a change of stack {self.name} was refused: {reason}")
        return change_set

    def _reason(self) -> str:
        """Return why the newest change failed: the first failure of a resource."""
        with refusals(f"Reading the events of stack {self.name}"):
            events = self.client.describe_stack_events(StackName=self.name)["StackEvents"]
        since: list[dict[str, Any]] = []
        for event in events:  # the newest first
            since.append(event)
            if event["LogicalResourceId"] == self.name and _began(event["ResourceStatus"]):
                break
        for event in reversed(since):
            if event["ResourceStatus"].endswith("_FAILED"):
                why = event.get("ResourceStatusReason", "no reason given")
                return f"{event['LogicalResourceId']} {event['ResourceStatus']}: {why}"
        return "its events name no failure"


def _began(status: str) -> bool:
    return status in {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"}


def _change(described: dict[str, Any]) -> Change:
    return Change(
        described["Action"],
        described["LogicalResourceId"],
        described["ResourceType"],
        described.get("Replacement") == "True",
    )


def _text(template: Any) -> str:
    """Return a template as text: boto3 gives JSON parsed."""
    return template if isinstance(template, str) else json.dumps(template)
