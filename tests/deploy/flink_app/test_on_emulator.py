"""The stacks that carry events, and the command that deploys the application, on an emulator.

What is real there: CloudFormation with change sets, Kinesis, S3, and the service's control plane.
The job itself does not run: the emulator starts Flink only in containers, and none of Flink 2.
That the packaged job runs is shown by ``test_flink_package_runs``.
"""

import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("aws_cdk", reason="needs the extra `deploy`, in an environment of its own")

from deploy import app, streams
from deploy.flink_app.__main__ import main
from deploy.flink_app.failures import DeployError
from deploy.flink_app.progress import Progress
from deploy.flink_app.stack import Stack
from deploy.local import emulator as settings
from tests.deploy.flink_app import emulator

pytestmark = pytest.mark.integration

APPLICATION = "roadside-features"
FOUNDATION = ("roadside-artifacts", "roadside-network", "roadside-streams", "roadside-store")
"""The stacks that the application stands on, in the order in which they are deployed."""
UNKNOWN = {
    "roadside-network": (
        "AWS::EC2::FlowLog",
        "AWS::EC2::SecurityGroupEgress",
        "AWS::EC2::SecurityGroupIngress",
    )
}
"""What the emulator's CloudFormation does not know, and is left out: no other resource needs it."""
QUIET = Progress(lambda _: None, poll_s=0.02, patience_s=60.0)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The emulator, with what `cdk bootstrap` leaves in an account."""
    with emulator.running(tmp_path_factory.mktemp("emulator")) as url:
        emulator.client(url, "ssm").put_parameter(
            Name="/cdk-bootstrap/hnb659fds/version", Value="30", Type="String"
        )
        yield url


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Every stack's template, by the stack's name."""
    paths = app.synthesize(tmp_path_factory.mktemp("cdk.out")).templates
    return {path.name.removesuffix(".template.json"): path for path in paths}


@pytest.fixture(scope="module")
def foundation(url: str, templates: Mapping[str, Path]) -> str:
    """The stacks below the application, deployed; gives the emulator's URL."""
    client = emulator.client(url, "cloudformation")
    for name in FOUNDATION:
        stack = Stack(client, name, QUIET)
        change_set = stack.propose(known(name, templates[name]), {})
        assert change_set
        stack.execute(change_set)
    return url


class Deploying:
    """Runs the command as one does in a shell."""

    def __init__(self, url: str, directory: Path, template: Path) -> None:
        self._url, self._directory = url, directory
        self._bucket = output(url, "roadside-artifacts", "ArtifactsBucket")
        self.template = template
        self._flink = emulator.client(url, "kinesisanalyticsv2")

    def __call__(self, code: bytes, *more: str) -> int:
        """Deploy a zip whose job is ``code``; return the exit code."""
        path = self._directory / "flink-app.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(zipfile.ZipInfo("main.py"), code)
        place = ["--zip", str(path), "--bucket", self._bucket, "--template", str(self.template)]
        return main([*place, "--endpoint-url", self._url, "--poll-s", "0.02", *more])

    @property
    def detail(self) -> Any:
        """The application as the service tells it."""
        return self._flink.describe_application(ApplicationName=APPLICATION)["ApplicationDetail"]

    @property
    def snapshots(self) -> list[str]:
        """Its snapshots' names, the oldest first."""
        listed = self._flink.list_application_snapshots(ApplicationName=APPLICATION)
        return [snapshot["SnapshotName"] for snapshot in listed["SnapshotSummaries"]]

    @property
    def key(self) -> Any:
        """The key of the code that it is set to run."""
        described = self.detail["ApplicationConfigurationDescription"]
        code = described["ApplicationCodeConfigurationDescription"]["CodeContentDescription"]
        return code["S3ApplicationCodeLocationDescription"]["FileKey"]

    @property
    def restored(self) -> Any:
        """What it was last started with."""
        described = self.detail["ApplicationConfigurationDescription"]
        return described["RunConfigurationDescription"][
            "ApplicationRestoreConfigurationDescription"
        ]


def known(name: str, path: Path) -> str:
    """Return a template without what the emulator does not know."""
    template = json.loads(path.read_text())
    resources = template["Resources"].items()
    unknown = UNKNOWN.get(name, ())
    return json.dumps(
        template | {"Resources": {n: r for n, r in resources if r["Type"] not in unknown}}
    )


def output(url: str, stack: str, name: str) -> str:
    """Return an output of a stack."""
    described = emulator.client(url, "cloudformation").describe_stacks(StackName=stack)
    outputs = {o["OutputKey"]: o["OutputValue"] for o in described["Stacks"][0]["Outputs"]}
    value: str = outputs[name]
    return value


@pytest.fixture(scope="module")
def deploying(
    foundation: str, templates: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deploying]:
    """The command, after the first deployment."""
    deploying = Deploying(foundation, tmp_path_factory.mktemp("zip"), templates["roadside-flink"])
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.AWS_ENVIRONMENT.items():
            patch.setenv(name, value)
        assert deploying(b"first") == 0
        yield deploying


def test_the_emulator_knows_all_but_what_is_left_out(
    url: str, templates: Mapping[str, Path]
) -> None:
    """A whole template is refused for exactly the types that are left out of it."""
    client = emulator.client(url, "cloudformation")
    for name, kinds in UNKNOWN.items():
        with pytest.raises(DeployError, match=re.escape(f"[{', '.join(kinds)}]")):
            Stack(client, f"whole-{name}", QUIET).propose(templates[name].read_text(), {})


def test_the_streams_of_the_template_take_records(foundation: str) -> None:
    """Every stream has its shards and its retention, and gives back what is put on it."""
    kinesis = emulator.client(foundation, "kinesis")
    for stream in streams.STREAMS:
        told = kinesis.describe_stream_summary(StreamName=stream.name)["StreamDescriptionSummary"]
        assert told["StreamStatus"] == "ACTIVE"
        assert told["OpenShardCount"] == stream.shards
        assert told["RetentionPeriodHours"] == stream.retention_hours
        put = kinesis.put_record(StreamName=stream.name, Data=b"{}", PartitionKey="a")
        iterator = kinesis.get_shard_iterator(
            StreamName=stream.name, ShardId=put["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        records = kinesis.get_records(ShardIterator=iterator)["Records"]
        assert [record["Data"] for record in records] == [b"{}"]


def test_the_store_of_the_template_stands(foundation: str, templates: Mapping[str, Path]) -> None:
    """Nodes, tables and workgroup are those of the template, and the bucket of rows keeps rows.

    The nodes are a record: the emulator would start them in containers.
    """
    resources = json.loads(templates["roadside-store"].read_text())["Resources"].values()
    wanted = [(r["Type"], r.get("Properties", {})) for r in resources]
    (store,) = (p for kind, p in wanted if kind == "AWS::ElastiCache::ReplicationGroup")
    cache = emulator.client(foundation, "elasticache")
    (group,) = cache.describe_replication_groups()["ReplicationGroups"]
    assert len(group["MemberClusters"]) == store["NumCacheClusters"]
    assert (group["AutomaticFailover"], group["MultiAZ"]) == ("enabled", "enabled")
    assert group["TransitEncryptionEnabled"]
    views = {p["TableInput"]["Name"] for kind, p in wanted if kind == "AWS::Glue::Table"}
    database = output(foundation, "roadside-store", "FeatureDatabase")
    glue = emulator.client(foundation, "glue")
    tables = glue.get_tables(DatabaseName=database)["TableList"]
    assert {table["Name"] for table in tables} == views
    workgroup = output(foundation, "roadside-store", "FeatureWorkgroup")
    athena = emulator.client(foundation, "athena")
    assert athena.get_work_group(WorkGroup=workgroup)["WorkGroup"]["State"] == "ENABLED"
    place = {"Bucket": output(foundation, "roadside-store", "OfflineBucket"), "Key": "features/x"}
    s3 = emulator.client(foundation, "s3")
    s3.put_object(Body=b"row", **place)
    assert s3.get_object(**place)["Body"].read() == b"row"


def test_the_first_deployment_creates_and_starts(deploying: Deploying) -> None:
    """The application that the template describes runs, without state, what is in the bucket."""
    assert deploying.detail["ApplicationStatus"] == "RUNNING"
    assert deploying.detail["RuntimeEnvironment"] == "FLINK-2_2"
    assert deploying.restored["ApplicationRestoreType"] == "SKIP_RESTORE_FROM_SNAPSHOT"
    assert deploying.snapshots == []
    template = json.loads(deploying.template.read_text())
    (wanted,) = (
        resource["Properties"]["ApplicationConfiguration"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::KinesisAnalyticsV2::Application"
    )
    flink = deploying.detail["ApplicationConfigurationDescription"][
        "FlinkApplicationConfigurationDescription"
    ]["ParallelismConfigurationDescription"]
    asked = wanted["FlinkApplicationConfiguration"]["ParallelismConfiguration"]
    assert flink["Parallelism"] == asked["Parallelism"]


def test_the_same_zip_again_does_nothing(
    deploying: Deploying, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither version nor snapshots change when all is as it shall be, and that is told."""
    assert deploying(b"again") == 0
    before = (deploying.detail["ApplicationVersionId"], deploying.snapshots)
    capsys.readouterr()
    assert deploying(b"again") == 0
    assert capsys.readouterr().err.startswith("Nothing to do: s3://")
    assert (deploying.detail["ApplicationVersionId"], deploying.snapshots) == before


def test_a_plan_changes_nothing(
    deploying: Deploying, foundation: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The plan names upload, snapshot, change and start, and does none of them."""
    before = (deploying.detail["ApplicationVersionId"], deploying.snapshots, deploying.key)
    assert deploying(b"planned", "--plan") == 0
    told = capsys.readouterr().err
    for step in ("upload", "snapshot", "Modify AWS::KinesisAnalyticsV2::Application", "start"):
        assert step in told
    assert (deploying.detail["ApplicationVersionId"], deploying.snapshots, deploying.key) == before
    cloudformation = emulator.client(foundation, "cloudformation")
    left = cloudformation.list_change_sets(StackName="roadside-flink")["Summaries"]
    assert not [change_set for change_set in left if change_set["ExecutionStatus"] == "AVAILABLE"]


def test_another_zip_is_started_from_the_state_of_the_one_before(deploying: Deploying) -> None:
    """The update takes a snapshot, changes the code, and restores the newest snapshot."""
    assert deploying(b"before") == 0
    key, count = deploying.key, len(deploying.snapshots)
    assert deploying(b"after") == 0
    assert deploying.detail["ApplicationStatus"] == "RUNNING"
    assert deploying.key != key
    own, of_the_stop = deploying.snapshots[count:]
    assert own.startswith("deploy-")
    assert deploying.restored == {
        "ApplicationRestoreType": "RESTORE_FROM_CUSTOM_SNAPSHOT",
        "SnapshotName": of_the_stop,
    }


def test_an_older_state_can_be_had_again(deploying: Deploying) -> None:
    """The former code and a snapshot of its time are what a bad release is taken back with."""
    assert deploying(b"good release") == 0
    assert deploying(b"bad release") == 0
    of_the_good = deploying.snapshots[-1]
    assert deploying(b"good release", "--snapshot", of_the_good) == 0
    assert deploying.restored["SnapshotName"] == of_the_good
    assert deploying.snapshots[-1] != of_the_good


def test_a_stopped_application_is_started(deploying: Deploying, foundation: str) -> None:
    """A deployment that was interrupted between stop and start is finished by running it again."""
    assert deploying(b"stopped") == 0
    emulator.client(foundation, "kinesisanalyticsv2").stop_application(ApplicationName=APPLICATION)
    assert deploying(b"stopped") == 0
    assert deploying.detail["ApplicationStatus"] == "RUNNING"
    assert deploying.restored["SnapshotName"] == deploying.snapshots[-1]


def test_a_stack_that_cannot_be_changed_leaves_the_former_code_running(
    deploying: Deploying, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A resource that fails takes stack and application back; the failure is told by its name."""
    assert deploying(b"good") == 0
    key, former = deploying.key, deploying.template
    template = json.loads(former.read_text())
    template["Resources"]["Broken"] = {
        "Type": "AWS::SSM::Parameter",
        "Properties": {"Type": "SecureString", "Value": "x"},
        "DependsOn": "Application",
    }
    deploying.template = tmp_path / "broken.template.json"
    deploying.template.write_text(json.dumps(template))
    try:
        assert deploying(b"bad") == 1
    finally:
        deploying.template = former
    told = capsys.readouterr().err
    assert "Broken" in told.partition("error: ")[2]
    assert "former code runs again" in told
    assert deploying.detail["ApplicationStatus"] == "RUNNING"
    assert deploying.key == key
    assert deploying(b"good") == 0
    assert deploying.key == key
