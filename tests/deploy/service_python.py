"""A Python that has what the service's runtime has: apache-flink, what that needs, nothing else."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
SERVICE_VERSION = "3.12"


@dataclass(frozen=True)
class ServicePython:
    """The environment's Python.

    Attributes:
        executable: The program.
        version: Major and minor.
        flink_home: Its package of Flink.
    """

    executable: Path
    version: str
    flink_home: Path


def create(directory: Path) -> ServicePython:
    """Make the environment; of the service's Python if this machine has it, else of ours."""
    executable = directory / "bin" / "python"
    _uv("venv", "--python", _interpreter(), str(directory))
    _uv("pip", "install", "--python", str(executable),
        "--constraint", str(REPOSITORY / "constraints.txt"), "apache-flink")  # fmt: skip
    said = subprocess.run(
        [executable, "-c", "import sys, pyflink; print(*sys.version_info[:2], *pyflink.__path__)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=directory,
    )
    major, minor, home = said.stdout.split(maxsplit=2)
    return ServicePython(executable, f"{major}.{minor}", Path(home.strip()))


def _interpreter() -> str:
    found = shutil.which(f"python{SERVICE_VERSION}")
    # A version manager puts one on the path that does not start unless the version is chosen.
    if (
        found
        and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0
    ):
        return found
    return sys.executable


def _uv(*arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "uv", "--quiet", "--no-python-downloads", *arguments], check=True
    )
