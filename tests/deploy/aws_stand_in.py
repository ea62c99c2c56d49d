"""Stands in for the program ``aws``: checks a command against AWS's own model of the operation.

It answers as a service with one application would, and writes what it was asked to a file. Started
with the environment variable ``AWS_STAND_IN``: a directory that keeps the application's status and
what was asked.
"""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import botocore.session
import jmespath
from botocore import xform_name
from botocore.validate import ParamValidator

STATUS_AFTER = {"StopApplication": "READY", "StartApplication": "RUNNING"}
PROPERTY_GROUPS = [
    {"PropertyGroupId": "jobs", "PropertyMap": {"name": "roadside-features"}},
    {"PropertyGroupId": "streams", "PropertyMap": {"region": "us-east-1"}},
]


def main(arguments: Sequence[str]) -> None:
    """Check one command, note it and answer it."""
    directory = Path(os.environ["AWS_STAND_IN"])
    service, command, *options = arguments
    model = botocore.session.get_session().get_service_model(service)
    operation = {xform_name(name, "-"): name for name in model.operation_names}[command]
    shape = model.operation_model(operation).input_shape
    said = _options(options)
    given = _given(said, shape)
    if (report := ParamValidator().validate(given, shape)).has_errors():
        raise SystemExit(f"{operation}: {report.generate_report()}")
    with (directory / "asked").open("a") as asked:
        asked.write(json.dumps([operation, given], default=str) + "\n")
    if operation in STATUS_AFTER:
        (directory / "status").write_text(STATUS_AFTER[operation])
    answer = jmespath.search(said.get("query", "@"), _answer(operation, directory))
    text = said.get("output") == "text"
    sys.stdout.write(f"{answer if text else json.dumps(answer)}\n")


def _options(options: Sequence[str]) -> dict[str, str]:
    said: dict[str, str] = {}
    for option in options:
        if option.startswith("--"):
            said[option.removeprefix("--")] = ""
        else:
            said[list(said)[-1]] = option
    return said


def _given(said: dict[str, str], shape: Any) -> dict[str, Any]:
    members = {xform_name(name, "-"): name for name in shape.members}
    read = {"structure": json.loads, "long": int, "boolean": lambda _: True}
    given = {}
    for option, value in said.items():
        if option not in {"query", "output"}:
            name = members[option]
            given[name] = read.get(shape.members[name].type_name, str)(value)
    return given


def _answer(operation: str, directory: Path) -> Any:
    if operation != "DescribeApplication":
        return {}
    application = {
        "ApplicationStatus": (directory / "status").read_text(),
        "ApplicationVersionId": 7,
        "ApplicationConfigurationDescription": {
            "EnvironmentPropertyDescriptions": {"PropertyGroupDescriptions": PROPERTY_GROUPS}
        },
    }
    return {"ApplicationDetail": application}


if __name__ == "__main__":
    main(sys.argv[1:])
