"""What the machine must have, and the exact command that brings it where it has not."""

import re
import shutil
import subprocess
from dataclasses import dataclass

MIN_JAVA = 17


class PrerequisiteError(RuntimeError):
    """Something is missing; the message has the command to install it."""


@dataclass(frozen=True)
class Program:
    """A program that must be on the PATH."""

    command: str
    purpose: str
    install: str


REDIS = Program("redis-server", "the online store", "sudo apt-get install -y redis-server")
JAVA = Program("java", "Flink", "sudo apt-get install -y openjdk-17-jdk-headless")
MAVEN = Program("mvn", "the Flink jar", "sudo apt-get install -y maven")


def check() -> None:
    """Raise PrerequisiteError naming everything that is missing, each with its command."""
    problems = [_missing(program) for program in (REDIS, JAVA, MAVEN)]
    if problems[1] is None:
        problems.append(_java_too_old(_java_version()))
    found = [problem for problem in problems if problem is not None]
    if found:
        raise PrerequisiteError("\n".join(found))


def _missing(program: Program) -> str | None:
    if shutil.which(program.command):
        return None
    return f"{program.command} (for {program.purpose}) is not installed; run: {program.install}"


def _java_version() -> int:
    told = subprocess.run(["java", "-version"], capture_output=True, text=True, check=True).stderr
    match = re.search(r'version "(\d+)', told)
    return int(match[1]) if match else 0


def _java_too_old(version: int) -> str | None:
    if version >= MIN_JAVA:
        return None
    return f"java is version {version}, and Flink needs {MIN_JAVA} or newer; run: {JAVA.install}"
