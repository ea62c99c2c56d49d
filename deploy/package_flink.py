"""Packs the streaming application for Managed Service for Apache Flink, as one zip.

    python -m deploy.package_flink --out dist/flink-app.zip

Inside: ``main.py`` at the top (the entry point), ``lib/flink-jobs.jar`` (connectors and functions),
``python/`` (``flink_jobs``, ``feature_repo`` and the packages that they need, as wheels for the
service's Python and platform), ``requirements.txt`` (what those packages are) and
``manifest.json`` (what the zip was made for, and a digest of each file).
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy import flink_jar, service_packages
from deploy.archives import PackageError, python_sources, sha256, write_zip

ROOT = Path(__file__).resolve().parent.parent
JAR = Path("flink_jobs/target/flink-jobs.jar")
PACKAGES = ("flink_jobs", "feature_repo")
SUFFIXES = frozenset({".py", ".sql", ".lua", ".yaml"})

TOO_LARGE_BYTES = 512 * 1024 * 1024
"""Code of this size or more is refused by the service."""

ENTRY_POINT = b'''"""Starts the application: the service runs this file, the code is beside it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "python"))

from flink_jobs.main import main  # noqa: E402

if __name__ == "__main__" and (code := main([])):
    raise SystemExit(code)
'''


@dataclass(frozen=True)
class MadeFor:
    """What a zip was made for.

    Attributes:
        profile: The Maven profile of its jar.
        python: The version of the Python that will run it.
        platform: That Python's platform.
        packages: What goes along, as ``name==version``.
    """

    profile: str
    python: str
    platform: str
    packages: Sequence[str]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the zip; return the exit code."""
    options = _parse(arguments)
    try:
        build(options.root, options.jar, options.profile, options.python_version, options.out)
    except PackageError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    size_mb = options.out.stat().st_size / 1e6
    sys.stdout.write(f"{options.out}: {size_mb:.1f} MB, sha256 {sha256(options.out)}\n")
    return 0


def build(root: Path, jar: Path, profile: str, python_version: str, out: Path) -> None:
    """Collect all that goes into the zip, and write it.

    Raises:
        PackageError: The jar is missing or of another profile, a package cannot be had, or the zip
            is too large; what was at ``out`` is still there then.
    """
    flink_jar.check_profile(root / jar, profile)
    with TemporaryDirectory(prefix="flink-app-") as directory:
        _tell(f"Resolving the packages for Python {python_version}, {service_packages.PLATFORM}")
        pins = service_packages.pinned(root, python_version)
        _tell(f"Collecting {', '.join(pins)}")
        service_packages.download(pins, python_version, Path(directory))
        _tell(f"Writing {out}")
        made_for = MadeFor(profile, python_version, service_packages.PLATFORM, tuple(pins))
        package(root, jar, service_packages.files(Path(directory)), made_for, out)


def package(
    root: Path,
    jar: Path,
    dependencies: Mapping[str, Path],
    made_for: MadeFor,
    out: Path,
) -> None:
    """Write the zip.

    Args:
        root: The repository's root.
        jar: The uber-jar, relative to the root or absolute.
        dependencies: The files of the packages that go along, by their place in ``python/``.
        made_for: What the manifest says of the zip.
        out: The zip to write.

    Raises:
        PackageError: One of our packages is missing, or the zip is too large.
    """
    entries: dict[str, Path | bytes] = {"main.py": ENTRY_POINT, "lib/flink-jobs.jar": root / jar}
    for name, path in dependencies.items():
        entries[f"python/{name}"] = path
    for package_name in PACKAGES:
        for path in python_sources(root, package_name, SUFFIXES):
            entries[f"python/{path.relative_to(root).as_posix()}"] = path
    entries["requirements.txt"] = "".join(f"{pin}\n" for pin in made_for.packages).encode()
    entries["manifest.json"] = _manifest(entries, made_for)
    write_zip(out, entries, TOO_LARGE_BYTES)


def _manifest(entries: Mapping[str, Path | bytes], made_for: MadeFor) -> bytes:
    digests = {
        name: hashlib.sha256(entry if isinstance(entry, bytes) else entry.read_bytes()).hexdigest()
        for name, entry in sorted(entries.items())
    }
    return json.dumps({**asdict(made_for), "sha256": digests}, indent=2).encode() + b"\n"


def _tell(step: str) -> None:
    sys.stderr.write(f"{step} ...\n")
    sys.stderr.flush()


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
        "--profile",
        choices=flink_jar.PROFILES,
        default=flink_jar.ADAPTER,
        help="the Maven profile that the jar must have been built with",
    )
    parser.add_argument(
        "--python-version",
        choices=service_packages.PYTHON_VERSIONS,
        default=service_packages.PYTHON_VERSIONS[0],
        help="the Python that will run it",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
