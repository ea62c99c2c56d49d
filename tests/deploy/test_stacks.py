import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("aws_cdk", reason="needs the extra `deploy`, in an environment of its own")

from deploy import app
from deploy.streams import STREAMS

Template = dict[str, Any]


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every stack's template, by the stack's name."""
    paths = app.synthesize(tmp_path_factory.mktemp("cdk.out"))
    return {path.name.removesuffix(".template.json"): path for path in paths}


def _resources(path: Path, kind: str) -> list[Template]:
    resources = json.loads(path.read_text())["Resources"].values()
    return [r["Properties"] for r in resources if r["Type"] == kind]


def _statements(path: Path) -> list[Template]:
    policies = _resources(path, "AWS::IAM::Policy")
    return [s for policy in policies for s in policy["PolicyDocument"]["Statement"]]


def test_every_stream_is_deployed_and_encrypted(templates: dict[str, Path]) -> None:
    """Each stream has the shards that its load needs, and a key of ours that rotates."""
    streams = _resources(templates["roadside-streams"], "AWS::Kinesis::Stream")
    assert {s["Name"]: s["ShardCount"] for s in streams} == {s.name: s.shards for s in STREAMS}
    for stream in streams:
        assert stream["StreamEncryption"]["EncryptionType"] == "KMS"
        assert "Fn::GetAtt" in stream["StreamEncryption"]["KeyId"]
        assert stream["StreamModeDetails"]["StreamMode"] == "PROVISIONED"
    (key,) = _resources(templates["roadside-streams"], "AWS::KMS::Key")
    assert key["EnableKeyRotation"] is True


def test_the_application_runs_the_code_that_is_packed(templates: dict[str, Path]) -> None:
    """Runtime, snapshots and the places inside the zip are those that the packing makes."""
    (application,) = _resources(templates["roadside-flink"], "AWS::KinesisAnalyticsV2::Application")
    assert application["RuntimeEnvironment"] == "FLINK-2_2"
    configuration = application["ApplicationConfiguration"]
    assert configuration["ApplicationSnapshotConfiguration"]["SnapshotsEnabled"] is True
    assert configuration["ApplicationCodeConfiguration"]["CodeContentType"] == "ZIPFILE"
    groups = {
        group["PropertyGroupId"]: group["PropertyMap"]
        for group in configuration["EnvironmentProperties"]["PropertyGroups"]
    }
    assert groups["kinesis.analytics.flink.run.options"] == {
        "python": "main.py",
        "jarfile": "lib/flink-jobs.jar",
        "pyFiles": "python/",
    }
    assert configuration["VpcConfigurations"]


def test_the_jobs_understand_their_settings(templates: dict[str, Path]) -> None:
    """The jobs read the deployed property groups without a complaint."""
    from flink_jobs import settings  # noqa: PLC0415  # a product module, in the deploy environment

    (application,) = _resources(templates["roadside-flink"], "AWS::KinesisAnalyticsV2::Application")
    groups = application["ApplicationConfiguration"]["EnvironmentProperties"]["PropertyGroups"]
    for group in groups:  # what CloudFormation fills in when it deploys
        filled = {k: v if isinstance(v, str) else "filled" for k, v in group["PropertyMap"].items()}
        group["PropertyMap"] = filled
    assert settings.parse(json.dumps(groups).encode()).jobs.selected


def test_the_role_may_do_no_more_than_the_job_does(templates: dict[str, Path]) -> None:
    """No action is a wildcard, and only EC2's descriptions are granted for every resource."""
    statements = _statements(templates["roadside-flink"])
    assert statements
    for statement in statements:
        actions = statement["Action"]
        actions = [actions] if isinstance(actions, str) else actions
        assert not [action for action in actions if "*" in action]
        if statement["Resource"] == "*":
            assert all(action.startswith("ec2:Describe") for action in actions)


def test_only_dead_letters_are_written(templates: dict[str, Path]) -> None:
    """The application may put records on the dead-letter stream and read all inputs."""
    statements = _statements(templates["roadside-flink"])
    written = [s["Resource"] for s in statements if "kinesis:PutRecords" in s["Action"]]
    assert len(written) == 1
    assert "DeadLetter" in json.dumps(written)
    read = [s["Resource"] for s in statements if "kinesis:GetRecords" in s["Action"]]
    read_text = json.dumps(read)
    assert len(read_text.split("GetAtt")) - 1 == sum(s.is_input for s in STREAMS)


def test_cfn_lint_has_no_complaint(templates: dict[str, Path]) -> None:
    """Every template passes cfn-lint without an error or a warning."""
    command = [str(Path(sys.executable).with_name("cfn-lint")), *map(str, templates.values())]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout


def test_the_command_names_what_it_wrote(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command ends with 0 and prints the path of each template."""
    assert app.main(["--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert [Path(line).exists() for line in printed] == [True, True]
