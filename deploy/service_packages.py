"""The Python packages that the application brings along: which, and as wheels for the service.

The service installs nothing. Its runtime has apache-flink with all that it needs. A package of
the zip comes before the runtime's on the path of the worker, so what the runtime has is not packed:
pandas and pyarrow are compiled against one numpy, and would meet another.
"""

import configparser
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.archives import PackageError

PLATFORM = "x86_64-manylinux2014"
PYTHON_VERSIONS = ("3.12", "3.11")
"""The service's own first; the other is for machines without it, to run the zip there."""

RUNTIME = "apache-flink"
PROVIDED = frozenset({RUNTIME, "numpy"})
"""What setup.cfg names and the runtime brings."""

# A few hundred MB of jars without Python dependencies; only the names behind apache-flink matter.
_WITHOUT_JARS = 'apache-flink-libraries; sys_platform == "never"\n'
_INSTALLERS_OWN = frozenset({"INSTALLER", "RECORD", "REQUESTED"})


def pinned(root: Path, python_version: str) -> list[str]:
    """Return what must be packed, as ``name==version``, sorted.

    These are what setup.cfg names for the application and all that those need, less what comes
    with the runtime. A package that setup.cfg names is packed though the runtime may have it as
    a need of a need: apache-beam, which asks for redis, changes that from version to version.

    Raises:
        PackageError: A package has no pin in the constraints file, or they cannot be resolved.
    """
    named = _named(root)
    with_runtime = _resolve(root, [RUNTIME], python_version)
    ours = _resolve(root, named, python_version)
    bare = {re.split(r"[\[=<>~!]", name, maxsplit=1)[0] for name in named}
    packed = {n: v for n, v in ours.items() if n in bare or n not in with_runtime}
    pins = _pins(root)
    for name, version in packed.items():
        if pins.get(name) != version:
            raise PackageError(f"{name} has no pin in constraints.txt; refresh it")
    return [f"{name}=={version}" for name, version in sorted(packed.items())]


def download(pins: Iterable[str], python_version: str, directory: Path) -> None:
    """Unpack the wheels of pinned packages into a directory; the installer shows its progress.

    Raises:
        PackageError: One cannot be had as a wheel for the service.
    """
    ended = subprocess.run(
        [*_uv("install"), "--target", str(directory), "--only-binary", ":all:", "--no-deps",
         *_for_service(python_version), *pins],
        stdout=sys.stderr,
        check=False,
    )  # fmt: skip
    if ended.returncode:
        raise PackageError(
            f"the packages for Python {python_version} on {PLATFORM} could not be downloaded (the "
            "reason is above); see that the package index is reached, or change the pin"
        )


def files(directory: Path) -> dict[str, Path]:
    """Return the packages' files by their path below the directory.

    Left out is what depends on the machine that unpacked them: scripts, which name its Python, and
    the installer's notes.
    """
    found = {}
    for path in directory.rglob("*"):
        inside = path.relative_to(directory)
        is_note = inside.parent.suffix == ".dist-info" and inside.name in _INSTALLERS_OWN
        is_ours = inside.parts[0] not in {"bin", ".lock"} and "__pycache__" not in inside.parts
        if path.is_file() and is_ours and not is_note:
            found[inside.as_posix()] = path
    if not found:
        raise PackageError(f"{directory} holds no packages")
    return found


def _named(root: Path) -> list[str]:
    metadata = configparser.ConfigParser()
    metadata.read(root / "setup.cfg")
    names = [
        *metadata["options"]["install_requires"].split(),
        *metadata["options.extras_require"]["flink"].split(),
    ]
    return sorted(set(names) - PROVIDED)


def _pins(root: Path) -> Mapping[str, str]:
    lines = (root / "constraints.txt").read_text().splitlines()
    return dict(line.strip().split("==", 1) for line in lines if "==" in line)


def _resolve(root: Path, names: Sequence[str], python_version: str) -> dict[str, str]:
    """Return names and versions of packages and of all that they need."""
    with TemporaryDirectory() as directory:
        overrides = Path(directory, "overrides.txt")
        overrides.write_text(_WITHOUT_JARS)
        ended = subprocess.run(
            [*_uv("compile"), "--constraint", str(root / "constraints.txt"), "--override",
             str(overrides), "--no-header", "--no-annotate", *_for_service(python_version), "-"],
            input="".join(f"{name}\n" for name in names),
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
    if ended.returncode:
        reason = " ".join(ended.stderr.split())
        raise PackageError(f"setup.cfg: {', '.join(names)} cannot be resolved: {reason}")
    return dict(line.split("==", 1) for line in ended.stdout.split())


def _uv(command: str) -> list[str]:
    # The running Python reads the packages; without this another would be looked for, far away.
    own = ["--python", sys.executable, "--no-python-downloads"]
    return [sys.executable, "-m", "uv", "pip", command, *own]


def _for_service(python_version: str) -> list[str]:
    return ["--python-version", python_version, "--python-platform", PLATFORM]
