import os
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from deploy.archives import PackageError, python_sources, write_tar_gz, write_zip

Writer = Callable[[Path, Mapping[str, Path | bytes]], None]


@pytest.mark.parametrize("write", [write_zip, write_tar_gz])
def test_the_bytes_depend_on_the_contents_alone(tmp_path: Path, write: Writer) -> None:
    """Order, times, modes and the archive's own name leave the archive's bytes as they are."""
    file = tmp_path / "file"
    file.write_text("content")
    write(tmp_path / "one", {"a": file, "b": b"more"})
    os.utime(file, (1, 1))
    file.chmod(0o600)
    write(tmp_path / "two", {"b": b"more", "a": file})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    """Both archives give back names and contents."""
    entries: dict[str, Path | bytes] = {"x/a": b"1", "b": b"22"}
    write_zip(tmp_path / "z", entries)
    write_tar_gz(tmp_path / "t", entries)
    with zipfile.ZipFile(tmp_path / "z") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == entries
    with tarfile.open(tmp_path / "t") as tar:
        assert {m.name: m.size for m in tar.getmembers()} == {"b": 2, "x/a": 1}


@pytest.mark.parametrize("write", [write_zip, write_tar_gz])
def test_a_failure_leaves_the_old_archive(tmp_path: Path, write: Writer) -> None:
    """When an entry cannot be read the archive that was there stays, and no part is left."""
    out = tmp_path / "archive"
    out.write_bytes(b"old")
    with pytest.raises(FileNotFoundError):
        write(out, {"a": tmp_path / "missing"})
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]
    assert out.read_bytes() == b"old"


def test_a_directory_without_a_package_is_named(tmp_path: Path) -> None:
    """Packing a package that is not there says where to run the command."""
    with pytest.raises(PackageError, match=r"flink_jobs.*root"):
        list(python_sources(tmp_path, "flink_jobs", frozenset({".py"})))
