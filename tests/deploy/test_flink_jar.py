import zipfile
from pathlib import Path

import pytest

from deploy.archives import PackageError
from deploy.flink_jar import check_profile

ADAPTER_CLASS = "roadside/flink/PacedKinesisSource.class"
CONNECTOR_CLASS = "org/apache/flink/connector/kinesis/source/KinesisStreamsSource.class"


def _jar(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, b"")
    return path


def test_a_jar_is_known_by_the_source_that_the_job_would_take(tmp_path: Path) -> None:
    """With the adapter's class a jar is of that profile, without it of the official one."""
    check_profile(_jar(tmp_path / "a.jar", ADAPTER_CLASS, CONNECTOR_CLASS), "adapter")
    check_profile(_jar(tmp_path / "o.jar", CONNECTOR_CLASS), "official")
    with pytest.raises(PackageError, match=r"profile 'official', not 'adapter'"):
        check_profile(tmp_path / "o.jar", "adapter")


def test_a_jar_without_a_connector_is_refused(tmp_path: Path) -> None:
    """A jar from which the job could not read Kinesis is not packed."""
    with pytest.raises(PackageError, match="no Kinesis connector"):
        check_profile(_jar(tmp_path / "a.jar", ADAPTER_CLASS), "adapter")


def test_what_is_no_jar_is_refused(tmp_path: Path) -> None:
    """A file that is no archive is named, with the command that builds the jar."""
    (tmp_path / "a.jar").write_text("half a jar")
    with pytest.raises(PackageError, match=r"a\.jar cannot be read .*mvn .*-P adapter"):
        check_profile(tmp_path / "a.jar", "adapter")
