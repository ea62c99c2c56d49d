import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from deploy import package_flink
from deploy.archives import PackageError


@pytest.fixture
def jar(tmp_path: Path) -> Path:
    """A stand-in for the uber-jar: its contents are of no matter to the packing."""
    path = tmp_path / "flink-jobs.jar"
    path.write_bytes(b"jar" * 1000)
    return path


def test_what_the_service_needs_is_inside(jar: Path, tmp_path: Path) -> None:
    """The zip has the entry point at the top, the jar in lib and both packages with their SQL."""
    out = tmp_path / "app.zip"
    package_flink.package(package_flink.ROOT, jar, out)
    with zipfile.ZipFile(out) as archive:
        names = set(archive.namelist())
        manifest = json.loads(archive.read("manifest.json"))["sha256"]
        assert manifest["lib/flink-jobs.jar"] == hashlib.sha256(jar.read_bytes()).hexdigest()
        assert set(manifest) == names - {"manifest.json"}
        requirements = archive.read("requirements.txt").decode().splitlines()
    assert {
        "main.py",
        "python/flink_jobs/main.py",
        "python/feature_repo/schema.py",
        "python/feature_repo/write_rows.lua",
    } <= names
    assert not [name for name in names if "__pycache__" in name or "target/" in name]
    assert all("==" in line for line in requirements)
    assert not [line for line in requirements if line.startswith("apache-flink")]


def test_the_entry_point_finds_the_packages(jar: Path, tmp_path: Path) -> None:
    """Unpacked elsewhere, main.py imports flink_jobs from beside it, not from this checkout."""
    out, unpacked = tmp_path / "app.zip", tmp_path / "unpacked"
    package_flink.package(package_flink.ROOT, jar, out)
    with zipfile.ZipFile(out) as archive:
        archive.extractall(unpacked)
    code = "import runpy; print(runpy.run_path('main.py')['main'].__globals__['__file__'])"
    ended = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=unpacked, capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == str(unpacked / "python/flink_jobs/main.py")


def test_the_same_sources_give_the_same_zip(jar: Path, tmp_path: Path) -> None:
    """Packing twice gives the same bytes, so an unchanged application is not deployed again."""
    for name in ("one.zip", "two.zip"):
        package_flink.package(package_flink.ROOT, jar, tmp_path / name)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_dependencies_go_beside_the_packages(jar: Path, tmp_path: Path) -> None:
    """Packages installed for the service's platform are on the same Python path as ours."""
    (tmp_path / "dependencies/redis").mkdir(parents=True)
    (tmp_path / "dependencies/redis/__init__.py").touch()
    out = tmp_path / "app.zip"
    package_flink.package(package_flink.ROOT, jar, out, tmp_path / "dependencies")
    assert "python/redis/__init__.py" in zipfile.ZipFile(out).namelist()


def test_an_empty_dependency_directory_is_refused(jar: Path, tmp_path: Path) -> None:
    """A directory of dependencies that holds none is a mistake, and said so."""
    with pytest.raises(PackageError, match="holds no packages"):
        package_flink.package(package_flink.ROOT, jar, tmp_path / "a.zip", tmp_path / "none")


def test_a_zip_too_large_is_refused(
    jar: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A zip that the service would refuse is refused here, and not left lying about."""
    monkeypatch.setattr(package_flink, "MAX_BYTES", 1000)
    with pytest.raises(PackageError, match="1000"):
        package_flink.package(package_flink.ROOT, jar, tmp_path / "app.zip")
    assert not (tmp_path / "app.zip").exists()


def test_a_missing_jar_is_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the jar the command ends with status 2 and says how to build it."""
    arguments = ["--jar", str(tmp_path / "no.jar"), "--out", str(tmp_path / "app.zip")]
    assert package_flink.main(arguments) == 2
    error = capsys.readouterr().err
    assert "mvn" in error
    assert len(error.splitlines()) == 1


def test_an_unpinned_dependency_is_refused(tmp_path: Path) -> None:
    """A dependency without a pin is refused: the service would run something untested."""
    (tmp_path / "setup.cfg").write_text(
        "[options]\ninstall_requires =\n    numpy\n[options.extras_require]\nflink =\n    h3\n"
    )
    (tmp_path / "constraints.txt").write_text("numpy==2.1.3\n")
    with pytest.raises(PackageError, match="h3"):
        package_flink.requirements(tmp_path)
