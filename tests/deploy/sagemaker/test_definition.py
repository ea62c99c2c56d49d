"""The retraining pipeline's definition, as it is made and as it is committed."""

import json
import socket
from pathlib import Path
from typing import Any

import msgspec
import pytest

pytest.importorskip("sagemaker", reason="needs the extra `deploy`, in an environment of its own")

import botocore.session
from botocore.validate import ParamValidator

from deploy import names
from deploy.sagemaker.pipeline import __main__ as command
from deploy.sagemaker.pipeline import jobs
from deploy.sagemaker.pipeline.gates import GATES
from tests.deploy.sagemaker.example import DEFINITION, SETTINGS
from training.steps.evaluation_report import NAME, Gates

Json = dict[str, Any]
API = {
    "Processing": ("CreateProcessingJob", "ProcessingJobName"),
    "Training": ("CreateTrainingJob", "TrainingJobName"),
    "RegisterModel": ("CreateModelPackage", "ModelPackageName"),
}
"""What SageMaker calls for a step, and the name that it chooses itself."""


def _arguments(out: Path) -> list[str]:
    return [
        "--out", str(out), "--role", SETTINGS.role, "--bucket", SETTINGS.bucket,
        "--image", SETTINGS.image, "--kms-key", str(SETTINGS.kms_key),
        "--subnets", *SETTINGS.subnets, "--security-groups", *SETTINGS.security_groups,
    ]  # fmt: skip


@pytest.fixture(scope="module")
def steps() -> dict[str, Json]:
    """Every step of the committed definition by its name, those of the condition's sides too."""
    found: dict[str, Json] = {}
    for step in json.loads(DEFINITION.read_text())["Steps"]:
        sides = [*step["Arguments"].get("IfSteps", []), *step["Arguments"].get("ElseSteps", [])]
        found |= {each["Name"]: each for each in (step, *sides)}
    return found


def test_the_committed_definition_is_what_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same settings give the committed bytes, without a look at the network.

    To commit another: `cp` the file that this test makes.
    """
    asked: list[object] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *address, **_: asked.append(address))
    out = tmp_path / "dist" / "pipeline.json"
    assert command.main(_arguments(out)) == 0
    assert asked == []
    assert out.read_text() == DEFINITION.read_text(), f"cp {out} {DEFINITION}"


def test_half_a_vpc_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Subnets without security groups are a usage error that names both."""
    with pytest.raises(SystemExit) as ended:
        command.main(["--role", "r", "--bucket", "b", "--image", "i", "--subnets", "subnet-0a"])
    assert ended.value.code == 2
    assert "subnet-0a" in capsys.readouterr().err


def test_steps_follow_one_another(steps: dict[str, Json]) -> None:
    """Process, gates, train, evaluate, condition; then one of register and refuse."""
    assert list(steps) == [
        "process", "gates", "train", "evaluate", "condition", "register-RegisterModel", "refuse",
    ]  # fmt: skip
    assert steps["train"]["DependsOn"] == ["gates"]
    assert "Steps.process." in json.dumps(steps["gates"])
    assert "Steps.train." in json.dumps(steps["evaluate"])
    condition = steps["condition"]["Arguments"]
    assert [step["Name"] for step in condition["IfSteps"]] == ["register-RegisterModel"]
    assert [step["Name"] for step in condition["ElseSteps"]] == ["refuse"]


@pytest.mark.parametrize(
    "name", ["process", "gates", "train", "evaluate", "register-RegisterModel"]
)
def test_the_api_takes_each_steps_arguments(steps: dict[str, Json], name: str) -> None:
    """With its variables filled in, a step is a request that botocore's model of the API takes."""
    operation, own_name = API[steps[name]["Type"]]
    model = botocore.session.get_session().get_service_model("sagemaker")
    shape = model.operation_model(operation).input_shape
    request = {own_name: "chosen-by-sagemaker", **_filled(steps[name]["Arguments"])}
    assert ParamValidator().validate(request, shape).generate_report() == ""


def _filled(value: Any) -> Any:
    """Return arguments with a word for each variable."""
    if isinstance(value, list):
        return [_filled(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.keys() & {"Get", "Std:Join"}:
        return "word"
    return {key: _filled(each) for key, each in value.items()}


@pytest.mark.parametrize("name", ["process", "gates", "train", "evaluate"])
def test_jobs_are_encrypted_shut_in_and_limited(steps: dict[str, Json], name: str) -> None:
    """Each job has our key on volume and output, no way out, our VPC, a timeout and retries."""
    step = steps[name]
    arguments = step["Arguments"]
    cluster = arguments.get("ResourceConfig") or arguments["ProcessingResources"]["ClusterConfig"]
    output = arguments.get("OutputDataConfig") or arguments["ProcessingOutputConfig"]
    assert cluster["VolumeKmsKeyId"] == output["KmsKeyId"] == SETTINGS.kms_key
    network = arguments.get("NetworkConfig", arguments)
    assert network["EnableNetworkIsolation"] is True
    assert network["VpcConfig"] == {
        "Subnets": list(SETTINGS.subnets), "SecurityGroupIds": list(SETTINGS.security_groups),
    }  # fmt: skip
    assert arguments["StoppingCondition"]["MaxRuntimeInSeconds"] == jobs.LONGEST_S[name]
    retried = {kind for policy in step["RetryPolicies"] for kind in policy["ExceptionType"]}
    assert {"Step.THROTTLING", "SageMaker.CAPACITY_ERROR"} <= retried


def test_only_what_its_arguments_decide_is_cached(steps: dict[str, Json]) -> None:
    """The evaluation is run each time: the incumbent changes behind the same URI."""
    cached = {name for name, step in steps.items() if step.get("CacheConfig", {}).get("Enabled")}
    assert cached == {"process", "gates", "train"}
    without_default = [
        each["Name"]
        for each in json.loads(DEFINITION.read_text())["Parameters"]
        if "DefaultValue" not in each
    ]
    assert without_default == ["ArchiveS3Uri", "AsOf"]


def test_the_report_of_a_failed_gate_is_kept(steps: dict[str, Json]) -> None:
    """Its output is uploaded as it is written, not at the end of a job that may fail."""
    (output,) = steps["gates"]["Arguments"]["ProcessingOutputConfig"]["Outputs"]
    assert output["S3Output"]["S3UploadMode"] == "Continuous"


def test_the_condition_reads_what_the_evaluation_writes(steps: dict[str, Json]) -> None:
    """Every gate of ``evaluation.json`` has a threshold, and the refusal names them all."""
    conditions = steps["condition"]["Arguments"]["Conditions"]
    paths = [each["LeftValue"]["Std:JsonGet"]["Path"] for each in conditions]
    assert paths == [f"gates.{field.name}" for field in msgspec.structs.fields(Gates)]
    (file,) = steps["evaluate"]["PropertyFiles"]
    assert file["FilePath"] == NAME == jobs.EVALUATION_FILE
    message = json.dumps(steps["refuse"]["Arguments"]["ErrorMessage"])
    for gate in GATES:
        assert gate.measure in message
        assert f"Parameters.{gate.parameter}" in message


def test_what_is_registered_is_what_was_measured(steps: dict[str, Json]) -> None:
    """The package has the training's own archive, waits for approval, and names its evaluation."""
    package = steps["register-RegisterModel"]["Arguments"]
    (container,) = package["InferenceSpecification"]["Containers"]
    measured = {
        each["InputName"]: each["S3Input"]["S3Uri"]
        for each in steps["evaluate"]["Arguments"]["ProcessingInputs"]
    }
    assert container["ModelDataUrl"] == measured["model"]
    assert container["Image"] == SETTINGS.image
    assert package["ModelPackageGroupName"] == names.MODEL_PACKAGE_GROUP
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    assert "evaluation.json" in json.dumps(package["ModelMetrics"]["ModelQuality"])
