import json
import tarfile
from pathlib import Path

import pytest

from deploy import package_model
from deploy.archives import PackageError


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle's directory, as far as packing looks at it."""
    directory = tmp_path / "bundle"
    directory.mkdir()
    manifest = {"version": "v1", "models": {"ranker": "ranker.cbm"}}
    (directory / "bundle.json").write_text(json.dumps(manifest))
    (directory / "ranker.cbm").write_bytes(b"model")
    (directory / "model_card.md").write_text("# Card")
    return directory


def test_the_files_stand_at_the_top(bundle: Path, tmp_path: Path) -> None:
    """SageMaker unpacks into the model directory, so the archive has no directory of its own."""
    assert package_model.package(bundle, tmp_path / "model.tar.gz") == "v1"
    with tarfile.open(tmp_path / "model.tar.gz") as archive:
        assert archive.getnames() == ["bundle.json", "model_card.md", "ranker.cbm"]


def test_the_same_bundle_gives_the_same_archive(bundle: Path, tmp_path: Path) -> None:
    """Packing twice gives the same bytes."""
    for name in ("one.tar.gz", "two.tar.gz"):
        package_model.package(bundle, tmp_path / name)
    assert (tmp_path / "one.tar.gz").read_bytes() == (tmp_path / "two.tar.gz").read_bytes()


def test_half_a_bundle_is_refused(bundle: Path, tmp_path: Path) -> None:
    """A bundle without a model that it names is not packed."""
    (bundle / "ranker.cbm").unlink()
    with pytest.raises(PackageError, match=r"ranker\.cbm"):
        package_model.package(bundle, tmp_path / "model.tar.gz")
    assert not (tmp_path / "model.tar.gz").exists()


@pytest.mark.parametrize("manifest", ["{", "[]", '{"version": "v1"}'])
def test_a_broken_manifest_is_refused(bundle: Path, tmp_path: Path, manifest: str) -> None:
    """A manifest that cannot be read is refused by name."""
    (bundle / "bundle.json").write_text(manifest)
    with pytest.raises(PackageError, match=r"bundle\.json"):
        package_model.package(bundle, tmp_path / "model.tar.gz")


def test_no_bundle_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A directory without a bundle ends the command with status 2 and one line."""
    arguments = ["--bundle", str(tmp_path), "--out", str(tmp_path / "model.tar.gz")]
    assert package_model.main(arguments) == 2
    assert str(tmp_path) in capsys.readouterr().err
