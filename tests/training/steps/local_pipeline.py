"""Runs a pipeline's definition on this machine: its own arguments, S3 and /opt/ml as directories.

What SageMaker does around a container is done here by hand: variables are filled in, inputs laid
out and outputs taken away. The commands run from the files that the container's Dockerfile copies.
"""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy import package_model
from tests.support.container_image import Image

Json = dict[str, Any]
Ended = subprocess.CompletedProcess[str]
_ML = "/opt/ml"


class JobFailedError(Exception):
    """A job ended with another code than 0."""

    def __init__(self, ended: Ended, reason: str) -> None:
        super().__init__(f"exit code {ended.returncode}: {reason}\n{ended.stderr}")
        self.code, self.reason = ended.returncode, reason


@dataclass
class LocalPipeline:
    """One execution.

    Attributes:
        definition: The pipeline's JSON.
        image: What the jobs run in.
        directory: S3 is a folder below it, and each job's /opt/ml.
        known: Values of variables: parameters, execution, and properties of steps that ran.
    """

    definition: Json
    image: Image
    directory: Path
    known: dict[str, Any] = field(default_factory=dict)

    def start(self, parameters: Json) -> None:
        """Take the parameters, as ``StartPipelineExecution`` does."""
        for each in self.definition["Parameters"]:
            name = each["Name"]
            value = parameters[name] if name in parameters else each["DefaultValue"]
            self.known[f"Parameters.{name}"] = value
        self.known["Execution.PipelineExecutionId"] = "execution"

    def s3(self, uri: str) -> Path:
        """Return where an object or prefix is kept here."""
        return self.directory / "s3" / uri.removeprefix("s3://")

    def output(self, step: str, name: str) -> Path:
        """Return where a processing step's output is kept here."""
        return self.s3(self.known[_output_property(step, name)])

    def resolve(self, value: Any) -> Any:
        """Return a value with its variables filled in."""
        if not isinstance(value, dict):
            return value
        if "Get" in value:
            return self.known[value["Get"]]
        joined = value["Std:Join"]
        return joined["On"].join(str(self.resolve(each)) for each in joined["Values"])

    def run(self, name: str) -> None:
        """Run a step.

        Raises:
            JobFailedError: Its job failed.
        """
        (step,) = (step for step in self.definition["Steps"] if step["Name"] == name)
        root = self.directory / "jobs" / name
        shutil.rmtree(root, ignore_errors=True)
        if step["Type"] == "Training":
            self._train(step["Arguments"], root)
        else:
            self._process(name, step["Arguments"], root)

    def holds(self) -> dict[str, bool]:
        """Return each of the condition's comparisons by its path."""
        (step,) = (step for step in self.definition["Steps"] if step["Type"] == "Condition")
        return {
            each["LeftValue"]["Std:JsonGet"]["Path"]: self._holds(each)
            for each in step["Arguments"]["Conditions"]
        }

    def _holds(self, condition: Json) -> bool:
        reference = condition["LeftValue"]["Std:JsonGet"]
        found = self.known[reference["PropertyFile"]["Get"]]
        for part in reference["Path"].split("."):
            found = found[part]
        threshold = self.resolve(condition["RightValue"])
        is_least = condition["Type"] == "GreaterThanOrEqualTo"
        return bool(found >= threshold if is_least else found <= threshold)

    def _process(self, name: str, arguments: Json, root: Path) -> None:
        for each in arguments["ProcessingInputs"]:
            given = each["S3Input"]
            _lay_out(self.s3(self.resolve(given["S3Uri"])), _below(root, given["LocalPath"]))
        outputs = [
            (o["OutputName"], o["S3Output"]) for o in arguments["ProcessingOutputConfig"]["Outputs"]
        ]
        for _, output in outputs:
            _below(root, output["LocalPath"]).mkdir(parents=True)
        program = arguments["AppSpecification"]
        told = [str(self.resolve(each)) for each in program["ContainerArguments"]]
        told = [str(_below(root, each)) if each.startswith(_ML) else each for each in told]
        ended = self.image.run([*program["ContainerEntrypoint"], *told])
        for output_name, output in outputs:
            if ended.returncode == 0 or output["S3UploadMode"] == "Continuous":
                uri = self.resolve(output["S3Uri"])
                _take_away(_below(root, output["LocalPath"]), self.s3(uri))
                self.known[_output_property(name, output_name)] = uri
        _require_success(ended, root / "output/message")
        self._read_property_files(name)

    def _read_property_files(self, name: str) -> None:
        (step,) = (step for step in self.definition["Steps"] if step["Name"] == name)
        for file in step.get("PropertyFiles", []):
            content = (self.output(name, file["OutputName"]) / file["FilePath"]).read_text()
            self.known[f"Steps.{name}.PropertyFiles.{file['PropertyFileName']}"] = json.loads(
                content
            )

    def _train(self, arguments: Json, root: Path) -> None:
        for channel in arguments["InputDataConfig"]:
            uri = self.resolve(channel["DataSource"]["S3DataSource"]["S3Uri"])
            _lay_out(self.s3(uri), root / "input/data" / channel["ChannelName"])
        given = root / "input/config/hyperparameters.json"
        given.parent.mkdir(parents=True)
        told = {name: self.resolve(value) for name, value in arguments["HyperParameters"].items()}
        given.write_text(json.dumps(told))
        (root / "model").mkdir()
        ended = self.image.run(["train"], ML_ROOT=str(root))
        _require_success(ended, root / "output/failure")
        place = self.resolve(arguments["OutputDataConfig"]["S3OutputPath"])
        uri = f"{place}/job/output/model.tar.gz"
        package_model.package(root / "model", self.s3(uri))
        self.known["Steps.train.ModelArtifacts.S3ModelArtifacts"] = uri


def _output_property(step: str, name: str) -> str:
    return f"Steps.{step}.ProcessingOutputConfig.Outputs['{name}'].S3Output.S3Uri"


def _below(root: Path, path: str) -> Path:
    return root / Path(path).relative_to(_ML)


def _lay_out(source: Path, target: Path) -> None:
    """Put an object, or all below a prefix, into a directory."""
    if source.is_file():
        target.mkdir(parents=True)
        shutil.copy(source, target)
    else:
        shutil.copytree(source, target, copy_function=os.link)


def _take_away(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)


def _require_success(ended: Ended, reason: Path) -> None:
    if ended.returncode:
        raise JobFailedError(ended, reason.read_text() if reason.is_file() else "")
