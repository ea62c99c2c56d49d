"""A container's files as its Dockerfile copies them, and its programs run from these files alone.

No docker: the packages are this environment's, everything of ours is what the Dockerfile names.
"""

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]

Instruction = tuple[str, list[str]]


def instructions(dockerfile: Path) -> list[Instruction]:
    """Return a Dockerfile's instructions, each with its words."""
    lines = [line for line in dockerfile.read_text().splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    split = [line.split(maxsplit=1) for line in joined.splitlines() if line.strip()]
    return [(name, shlex.split(rest)) for name, rest in split]


def last_stage(found: Sequence[Instruction]) -> list[Instruction]:
    """Return the instructions from the last FROM on."""
    start = max(index for index, (name, _) in enumerate(found) if name == "FROM")
    return list(found[start:])


@dataclass(frozen=True)
class Image:
    """The files of an image below a directory, its environment and its working directory."""

    root: Path
    variables: dict[str, str]
    work_directory: Path

    def run(self, command: Sequence[str], **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            command, cwd=self.work_directory, env=self.environment(**variables),
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    def environment(self, **variables: str) -> dict[str, str]:
        """Return what a program is given: the Dockerfile's variables, and a bare PATH."""
        programs = [self.root / "python", self.root / "usr/local/bin"]
        path = os.pathsep.join([*map(str, programs), "/usr/bin", "/bin"])
        # Of this environment's packages ours are an editable one, found by a .pth file that the
        # interpreter (see `build`) does not read.
        packages = sysconfig.get_path("purelib")
        ours = str(self.root) + self.variables["PYTHONPATH"]
        return {
            **self.variables,
            "HOME": str(self.root),
            "PATH": path,
            "PYTHONPATH": os.pathsep.join([ours, packages]),
            **variables,
        }


def build(dockerfile: Path, root: Path) -> Image:
    """Do what the last stage of a Dockerfile does with files and variables.

    Raises:
        FileNotFoundError: It copies what is not there.
    """
    work, variables = Path("/"), {}
    for name, words in last_stage(instructions(dockerfile)):
        if name == "WORKDIR":
            work = Path(words[0])
        elif name == "ENV":
            variables |= dict(word.split("=", 1) for word in words)
        elif name == "COPY" and not words[0].startswith("--from="):
            _copy(words[:-1], words[-1], root, work)
    interpreter = root / "python" / "python"
    interpreter.parent.mkdir()
    interpreter.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -S "$@"\n')
    interpreter.chmod(0o755)
    return Image(root, variables, root / work.relative_to("/"))


def _copy(sources: Sequence[str], target: str, root: Path, work: Path) -> None:
    place = root / (work / target).relative_to("/")
    for source in (REPOSITORY / each for each in sources):
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, place, dirs_exist_ok=True, ignore=ignored)
        else:
            into = place / source.name if target.endswith("/") or len(sources) > 1 else place
            into.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, into)
