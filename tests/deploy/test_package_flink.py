import hashlib
import json
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from deploy import flink_jar, package_flink, service_packages
from deploy.archives import PackageError
from deploy.package_flink import MadeFor

MADE_FOR = MadeFor("adapter", "3.12", "x86_64-manylinux2014", ("redis==5.3.1",))
JAR_CLASSES = (
    "roadside/flink/PacedKinesisSource.class",
    "org/apache/flink/connector/kinesis/source/KinesisStreamsSource.class",
)


@pytest.fixture
def jar(tmp_path: Path) -> Path:
    """A stand-in for the uber-jar: of its contents only the source's classes matter here."""
    path = tmp_path / "flink-jobs.jar"
    with zipfile.ZipFile(path, "w") as archive:
        for name in JAR_CLASSES:
            archive.writestr(name, b"class" * 1000)
    return path


@pytest.fixture
def dependencies(tmp_path: Path) -> Mapping[str, Path]:
    """The files of a package that goes along."""
    (tmp_path / "dependencies/redis").mkdir(parents=True)
    (tmp_path / "dependencies/redis/__init__.py").touch()
    return service_packages.files(tmp_path / "dependencies")


def _package(jar: Path, dependencies: Mapping[str, Path], out: Path) -> Path:
    package_flink.package(package_flink.ROOT, jar, dependencies, MADE_FOR, out)
    return out


def test_what_the_service_needs_is_inside(
    jar: Path, dependencies: Mapping[str, Path], tmp_path: Path
) -> None:
    """The zip has the entry point at the top, the jar in lib, our packages and theirs in python."""
    out = _package(jar, dependencies, tmp_path / "app.zip")
    with zipfile.ZipFile(out) as archive:
        names = set(archive.namelist())
        digests = json.loads(archive.read("manifest.json"))["sha256"]
    assert digests["lib/flink-jobs.jar"] == hashlib.sha256(jar.read_bytes()).hexdigest()
    assert set(digests) == names - {"manifest.json"}
    assert {
        "main.py",
        "requirements.txt",
        "python/flink_jobs/main.py",
        "python/feature_repo/schema.py",
        "python/feature_repo/online/write_rows.lua",
        "python/redis/__init__.py",
    } <= names
    assert not [name for name in names if "__pycache__" in name or "target/" in name]


def test_the_zip_says_what_it_was_made_for(
    jar: Path, dependencies: Mapping[str, Path], tmp_path: Path
) -> None:
    """The manifest names profile, Python and platform, and the requirements are what goes along."""
    with zipfile.ZipFile(_package(jar, dependencies, tmp_path / "app.zip")) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        requirements = archive.read("requirements.txt").decode()
    assert (manifest["profile"], manifest["python"]) == ("adapter", "3.12")
    assert manifest["platform"] == "x86_64-manylinux2014"
    assert requirements == "redis==5.3.1\n"


def test_the_entry_point_finds_the_packages(
    jar: Path, dependencies: Mapping[str, Path], tmp_path: Path
) -> None:
    """Unpacked elsewhere, main.py imports flink_jobs from beside it, not from this checkout."""
    unpacked = tmp_path / "unpacked"
    with zipfile.ZipFile(_package(jar, dependencies, tmp_path / "app.zip")) as archive:
        archive.extractall(unpacked)
    code = "import runpy; print(runpy.run_path('main.py')['main'].__globals__['__file__'])"
    ended = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=unpacked, capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == str(unpacked / "python/flink_jobs/main.py")


def test_the_same_sources_give_the_same_zip(
    jar: Path, dependencies: Mapping[str, Path], tmp_path: Path
) -> None:
    """Packing twice gives the same bytes, so an unchanged application is not deployed again."""
    one = _package(jar, dependencies, tmp_path / "one.zip")
    two = _package(jar, dependencies, tmp_path / "two.zip")
    assert one.read_bytes() == two.read_bytes()


def test_a_zip_too_large_is_refused(
    jar: Path,
    dependencies: Mapping[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A zip that the service would refuse is refused here, and the one before it stays."""
    out = tmp_path / "app.zip"
    out.write_bytes(b"before")
    monkeypatch.setattr(package_flink, "TOO_LARGE_BYTES", 1000)
    with pytest.raises(PackageError, match="1000"):
        _package(jar, dependencies, out)
    assert out.read_bytes() == b"before"


def test_a_missing_jar_is_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the jar the command ends with status 2 and says how to build it."""
    arguments = ["--jar", str(tmp_path / "no.jar"), "--out", str(tmp_path / "app.zip")]
    assert package_flink.main(arguments) == 2
    error = capsys.readouterr().err
    assert "mvn" in error
    assert len(error.splitlines()) == 1


def test_a_jar_of_the_other_profile_is_refused(jar: Path, tmp_path: Path) -> None:
    """What is packed is what was asked for: a jar with the adapter is not the official one."""
    with pytest.raises(PackageError, match=r"profile 'adapter', not 'official'.*-P official"):
        package_flink.build(
            package_flink.ROOT, jar, flink_jar.OFFICIAL, "3.12", tmp_path / "app.zip"
        )
    assert not (tmp_path / "app.zip").exists()


@pytest.mark.integration
def test_the_command_collects_the_packages_and_tells_its_steps(
    jar: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """One command makes the zip for the service's Python, and says what it does meanwhile."""
    out = tmp_path / "app.zip"
    assert package_flink.main(["--jar", str(jar), "--out", str(out)]) == 0
    said = capfd.readouterr()
    assert said.out.startswith(f"{out}: ")
    assert [line.split()[0] for line in said.err.splitlines() if line.endswith(" ...")] == [
        "Resolving", "Collecting", "Writing",
    ]  # fmt: skip
    with zipfile.ZipFile(out) as archive:
        compiled = [name for name in archive.namelist() if name.endswith(".so")]
    assert compiled
    assert all("cpython-312-x86_64-linux-gnu" in name for name in compiled)
