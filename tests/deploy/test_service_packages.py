import shutil
from pathlib import Path

import pytest

from deploy import service_packages
from deploy.archives import PackageError

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.integration
def test_what_the_runtime_has_is_not_packed() -> None:
    """Packed is what the application names and what that needs, less what Flink brings along."""
    pins = service_packages.pinned(REPOSITORY, "3.12")
    names = {pin.split("==")[0] for pin in pins}
    assert {"boto3", "botocore", "hiredis", "msgspec", "redis"} <= names
    assert not names & {"apache-flink", "numpy", "pandas", "pyarrow", "python-dateutil", "urllib3"}
    constraints = (REPOSITORY / "constraints.txt").read_text().splitlines()
    assert set(pins) <= set(constraints)


@pytest.mark.integration
def test_an_unpinned_package_is_refused(tmp_path: Path) -> None:
    """A package without a pin is refused: the service would run something untested."""
    shutil.copyfile(REPOSITORY / "setup.cfg", tmp_path / "setup.cfg")
    lines = (REPOSITORY / "constraints.txt").read_text().splitlines()
    kept = [line for line in lines if not line.startswith("msgspec==")]
    (tmp_path / "constraints.txt").write_text("\n".join(kept))
    with pytest.raises(PackageError, match=r"msgspec has no pin in constraints\.txt"):
        service_packages.pinned(tmp_path, "3.12")


@pytest.mark.integration
def test_a_package_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A pin of which there is no wheel for the service ends the packing, with its remedy."""
    with pytest.raises(PackageError, match=r"Python 3\.12 on .* could not be downloaded"):
        service_packages.download(["msgspec==0.0.0"], "3.12", tmp_path)


def test_what_depends_on_this_machine_is_left_out(tmp_path: Path) -> None:
    """Scripts, compiled files and the installer's notes differ by machine and are not packed."""
    kept = ("h3/__init__.py", "h3-4.5.0.dist-info/METADATA", "h3/RECORD")
    left = (".lock", "bin/jp.py", "h3/__pycache__/a.pyc", "h3-4.5.0.dist-info/RECORD")
    for name in (*kept, *left):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert set(service_packages.files(tmp_path)) == set(kept)


def test_an_empty_directory_is_refused(tmp_path: Path) -> None:
    """Packages that are not there are a mistake, and said so."""
    with pytest.raises(PackageError, match="holds no packages"):
        service_packages.files(tmp_path)
