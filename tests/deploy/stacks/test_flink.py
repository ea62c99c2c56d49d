import json

from deploy.streams import STREAMS
from flink_jobs import settings
from tests.deploy.stacks.templates import Properties, Templates


def _application(templates: Templates) -> Properties:
    (application,) = templates.resources("AWS::KinesisAnalyticsV2::Application")
    configuration: Properties = application["ApplicationConfiguration"]
    return configuration | {"RuntimeEnvironment": application["RuntimeEnvironment"]}


def _property_groups(templates: Templates) -> list[Properties]:
    groups: list[Properties] = _application(templates)["EnvironmentProperties"]["PropertyGroups"]
    return groups


def test_the_application_runs_the_code_that_is_packed(templates: Templates) -> None:
    """Runtime, snapshots and the places inside the zip are those that the packing makes."""
    application = _application(templates)
    assert application["RuntimeEnvironment"] == "FLINK-2_2"
    assert application["ApplicationSnapshotConfiguration"]["SnapshotsEnabled"] is True
    assert application["ApplicationCodeConfiguration"]["CodeContentType"] == "ZIPFILE"
    groups = {g["PropertyGroupId"]: g["PropertyMap"] for g in _property_groups(templates)}
    assert groups["kinesis.analytics.flink.run.options"] == {
        "python": "main.py",
        "jarfile": "lib/flink-jobs.jar",
        "pyFiles": "python/",
    }


def test_the_jobs_understand_their_settings(templates: Templates) -> None:
    """The jobs read the deployed property groups without a complaint."""
    filled = [  # what CloudFormation fills in when it deploys
        group
        | {
            "PropertyMap": {
                key: value if isinstance(value, str) else "filled"
                for key, value in group["PropertyMap"].items()
            }
        }
        for group in _property_groups(templates)
    ]
    assert settings.parse(json.dumps(filled).encode()).jobs.selected


def test_the_password_is_not_in_the_template(templates: Templates) -> None:
    """The store's URL holds a reference that the deployment resolves, never a password."""
    groups = {g["PropertyGroupId"]: g["PropertyMap"] for g in _property_groups(templates)}
    url = json.dumps(groups["feature_store"]["redis_url"])
    assert "rediss://jobs:{{resolve:secretsmanager:" in url
    assert "PrimaryEndPointAddress" in url


def test_the_application_stands_in_every_zone(templates: Templates) -> None:
    """The service may place it in any of the three private subnets."""
    (network,) = _application(templates)["VpcConfigurations"]
    assert len(network["SubnetIds"]) == 3


def test_only_dead_letters_are_written(templates: Templates) -> None:
    """The application may put records on the dead-letter stream and read all inputs."""
    statements = [statement for _, statement in templates.statements("AWS::IAM::Policy", "flink")]
    written = [s["Resource"] for s in statements if "kinesis:PutRecords" in s["Action"]]
    assert len(written) == 1
    assert "DeadLetter" in json.dumps(written)
    read = [s["Resource"] for s in statements if "kinesis:GetRecords" in s["Action"]]
    assert len(read) == sum(stream.is_input for stream in STREAMS)
