r"""Packs the streaming application for Managed Service for Apache Flink, as one zip.

    python -m deploy.package_flink --out dist/flink-app.zip

Inside: ``main.py`` at the top (the entry point), ``lib/flink-jobs.jar`` (connectors and adapter),
``python/`` (``flink_jobs`` and ``feature_repo``, for the entry point and for the Python workers),
``requirements.txt`` (pinned) and ``manifest.json`` (a digest of each file).

The service installs nothing: what ``requirements.txt`` names must be in ``python/`` as well, built
for the service's platform. ``--dependencies`` takes a directory of it, for example one made by::

    unzip -p dist/flink-app.zip requirements.txt > build/requirements.txt
    pip install --target build/dependencies --platform manylinux2014_x86_64 \
        --only-binary :all: --requirement build/requirements.txt
"""

import argparse
import configparser
import hashlib
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.archives import PackageError, python_sources, sha256, write_zip

ROOT = Path(__file__).resolve().parent.parent
JAR = Path("flink_jobs/target/flink-jobs.jar")
PACKAGES = ("flink_jobs", "feature_repo")
SUFFIXES = frozenset({".py", ".sql", ".lua", ".yaml"})

MAX_BYTES = 512 * 1024 * 1024
"""The service refuses larger code."""

PROVIDED = frozenset({"apache-flink"})
"""What the service itself brings, at the version of its runtime."""

ENTRY_POINT = b'''"""Starts the application: the service runs this file, the code is beside it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "python"))

from flink_jobs.main import main  # noqa: E402

if __name__ == "__main__" and (code := main([])):
    raise SystemExit(code)
'''


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the zip; return the exit code."""
    options = _parse(arguments)
    try:
        size = package(options.root, options.jar, options.out, options.dependencies)
    except PackageError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    sys.stdout.write(f"{options.out}: {size / 1e6:.1f} MB, sha256 {sha256(options.out)}\n")
    if options.dependencies is None:
        sys.stdout.write("without its Python dependencies; add them with --dependencies\n")
    return 0


def package(root: Path, jar: Path, out: Path, dependencies: Path | None = None) -> int:
    """Write the zip and return its size in bytes.

    Args:
        root: The repository's root.
        jar: The uber-jar, relative to the root or absolute.
        out: The zip to write.
        dependencies: Packages installed for the service's platform; they go into ``python/`` too.

    Raises:
        PackageError: The jar, a package or the dependencies are missing, a dependency is not
            pinned, or the zip is larger than the service takes; nothing is left at ``out`` then.
    """
    jar = root / jar
    if not jar.is_file():
        raise PackageError(f"{jar} is missing; build it with `mvn -f flink_jobs/pom.xml package`")
    entries: dict[str, Path | bytes] = {"main.py": ENTRY_POINT, "lib/flink-jobs.jar": jar}
    for name in PACKAGES:
        for path in python_sources(root, name, SUFFIXES):
            entries[f"python/{path.relative_to(root).as_posix()}"] = path
    for path in _dependency_files(dependencies):
        entries[f"python/{path.relative_to(dependencies or root).as_posix()}"] = path
    entries["requirements.txt"] = "".join(f"{line}\n" for line in requirements(root)).encode()
    entries["manifest.json"] = _manifest(entries)
    write_zip(out, entries)
    size = out.stat().st_size
    if size > MAX_BYTES:
        out.unlink()
        raise PackageError(
            f"{out}: {size} bytes, the service takes {MAX_BYTES}; leave unused jars out of the pom"
        )
    return size


def requirements(root: Path) -> list[str]:
    """Return the pinned Python dependencies of the application.

    Raises:
        PackageError: A dependency of the extra ``flink`` has no pin in the constraints file.
    """
    metadata = configparser.ConfigParser()
    metadata.read(root / "setup.cfg")
    names = [
        *metadata["options"]["install_requires"].split(),
        *metadata["options.extras_require"]["flink"].split(),
    ]
    pins = dict(
        line.strip().split("==", 1)
        for line in (root / "constraints.txt").read_text().splitlines()
        if "==" in line
    )
    pinned = []
    for name in sorted(set(names) - PROVIDED):
        bare = re.split(r"[\[=<>~!]", name, maxsplit=1)[0]
        if bare not in pins:
            raise PackageError(f"setup.cfg: {name} has no pin in constraints.txt; add one")
        pinned.append(f"{name.split('==')[0]}=={pins[bare]}")
    return pinned


def _dependency_files(directory: Path | None) -> list[Path]:
    if directory is None:
        return []
    files = [
        path for path in directory.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    ]
    if not files:
        raise PackageError(f"{directory} holds no packages; fill it with `pip install --target`")
    return files


def _manifest(entries: Mapping[str, Path | bytes]) -> bytes:
    digests = {
        name: hashlib.sha256(entry if isinstance(entry, bytes) else entry.read_bytes()).hexdigest()
        for name, entry in sorted(entries.items())
    }
    return json.dumps({"sha256": digests}, indent=2).encode() + b"\n"


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.package_flink",
        description="Pack the streaming application for Managed Service for Apache Flink.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--out", type=Path, default=Path("dist/flink-app.zip"), help="the zip")
    parser.add_argument("--root", type=Path, default=ROOT, help="the repository's root")
    parser.add_argument("--jar", type=Path, default=JAR, help="the uber-jar, from the root")
    parser.add_argument(
        "--dependencies", type=Path, help="directory of packages for the service's platform"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
