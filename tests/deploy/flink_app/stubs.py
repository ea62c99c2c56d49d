"""boto3's clients that answer as a test says, in that order, and check what they are asked."""

from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.stub import ANY, Stubber

from deploy.flink_app.deployment import Clients

NAME = "roadside-features"
STACK = "roadside-flink"
ARN = "arn:aws:cloudformation:us-east-1:000000000000:changeSet/deploy-1/1"


@dataclass
class Stubs:
    """Clients of S3, CloudFormation and the service, without a network."""

    services: dict[str, Any] = field(default_factory=dict)
    stubbers: dict[str, Stubber] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make the clients."""
        for name in ("s3", "cloudformation", "kinesisanalyticsv2"):
            client = boto3.client(
                name, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
            )
            self.services[name], self.stubbers[name] = client, Stubber(client)
            self.stubbers[name].activate()

    @property
    def clients(self) -> Clients:
        """The clients, as the deployment takes them."""
        return Clients(*self.services.values())

    def check(self) -> None:
        """Raise if a call that was expected did not come."""
        for stubber in self.stubbers.values():
            stubber.assert_no_pending_responses()

    def s3(self, operation: str, response: dict[str, Any]) -> None:
        """Answer the next call of S3."""
        self.stubbers["s3"].add_response(operation, response)

    def s3_refuses(self, operation: str, code: str) -> None:
        """Refuse the next call of S3."""
        self.stubbers["s3"].add_client_error(operation, code, "no such thing")

    def stack_is(self, status: str, updated: str | None = None, **parameters: str) -> None:
        """Answer the next look at the stack; ``updated`` is the time of its newest change."""
        described = {
            "StackName": STACK,
            "CreationTime": "2026-11-01T00:00:00Z",
            **({"LastUpdatedTime": updated} if updated else {}),
            "StackStatus": status,
            "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
        }
        self.stubbers["cloudformation"].add_response("describe_stacks", {"Stacks": [described]})

    def no_stack(self) -> None:
        """Answer the next look at the stack: there is none."""
        self.stubbers["cloudformation"].add_client_error(
            "describe_stacks", "ValidationError", f"Stack with id {STACK} does not exist"
        )

    def stack(self, operation: str, response: dict[str, Any], **asked: Any) -> None:
        """Answer the next call of CloudFormation; ``asked`` is checked if given."""
        self.stubbers["cloudformation"].add_response(operation, response, asked or None)

    def stack_refuses(self, operation: str, code: str, message: str) -> None:
        """Refuse the next call of CloudFormation."""
        self.stubbers["cloudformation"].add_client_error(operation, code, message)

    def change_set(self, **described: Any) -> None:
        """Answer that a change set is made and what it is."""
        self.stack("create_change_set", {"Id": ARN})
        self.stack("describe_change_set", {"Status": "CREATE_COMPLETE", **described})

    def application_is(self, status: str, key: str = "flink-app/old.zip") -> None:
        """Answer the next look at the application."""
        place = {"BucketARN": "arn:aws:s3:::code", "FileKey": key}
        content = {"S3ApplicationCodeLocationDescription": place}
        code = {"CodeContentType": "ZIPFILE", "CodeContentDescription": content}
        detail = {
            "ApplicationARN": f"arn:aws:kinesisanalytics:us-east-1:000000000000:application/{NAME}",
            "ApplicationName": NAME,
            "RuntimeEnvironment": "FLINK-2_2",
            "ApplicationStatus": status,
            "ApplicationVersionId": 7,
            "ApplicationConfigurationDescription": {
                "ApplicationCodeConfigurationDescription": code
            },
        }
        self.flink("describe_application", {"ApplicationDetail": detail})

    def flink(self, operation: str, response: dict[str, Any], **asked: Any) -> None:
        """Answer the next call of the service; ``asked`` is checked if given."""
        self.stubbers["kinesisanalyticsv2"].add_response(operation, response, asked or None)

    def flink_refuses(self, operation: str, code: str) -> None:
        """Refuse the next call of the service."""
        self.stubbers["kinesisanalyticsv2"].add_client_error(operation, code, "not now")

    def snapshots(self, **statuses: str) -> None:
        """Answer the next list of snapshots, a second between each and the next."""
        listed = [
            {
                "SnapshotName": name,
                "SnapshotStatus": status,
                "ApplicationVersionId": 7,
                "SnapshotCreationTimestamp": f"2026-11-01T00:00:{second:02}Z",
            }
            for second, (name, status) in enumerate(statuses.items())
        ]
        self.flink("list_application_snapshots", {"SnapshotSummaries": listed})

    def takes_snapshot(self, *statuses: str) -> None:
        """Answer a snapshot's making, with what it is at each look."""
        asked = {"ApplicationName": NAME, "SnapshotName": ANY}
        self.flink("create_application_snapshot", {}, **asked)
        for status in statuses:
            details = {
                "SnapshotName": "deploy-1",
                "SnapshotStatus": status,
                "ApplicationVersionId": 7,
            }
            self.flink("describe_application_snapshot", {"SnapshotDetails": details})

    def stops(self, *statuses: str, force: bool = False) -> None:
        """Answer a stop, with what the application is at each look."""
        self.flink("stop_application", {}, ApplicationName=NAME, Force=force)
        for status in statuses:
            self.application_is(status)

    def starts(self, *statuses: str, snapshot: str, partial: bool = False) -> None:
        """Answer a start from the newest good snapshot, and what the application is then."""
        self.snapshots(older="READY", **{snapshot: "READY"}, failed="FAILED")
        self.flink(
            "start_application",
            {},
            ApplicationName=NAME,
            RunConfiguration={
                "ApplicationRestoreConfiguration": {
                    "ApplicationRestoreType": "RESTORE_FROM_CUSTOM_SNAPSHOT",
                    "SnapshotName": snapshot,
                },
                "FlinkRunConfiguration": {"AllowNonRestoredState": partial},
            },
        )
        for status in statuses:
            self.application_is(status)
