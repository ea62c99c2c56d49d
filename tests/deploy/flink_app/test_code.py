import base64
import hashlib
import zipfile
from pathlib import Path

import pytest

from deploy.flink_app import code
from deploy.flink_app.code import Code
from deploy.flink_app.failures import DeployError
from tests.deploy.flink_app.stubs import Stubs


@pytest.fixture
def stubs() -> Stubs:
    """S3 as the test says."""
    return Stubs()


@pytest.fixture
def zipped(tmp_path: Path) -> Code:
    """A zip of an application."""
    path = tmp_path / "flink-app.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("main.py", "")
    return code.inspect(path, "code")


def test_the_key_is_made_of_the_content(zipped: Code) -> None:
    """The same bytes have the same place, wherever they come from."""
    digest = hashlib.sha256(zipped.path.read_bytes()).hexdigest()
    assert zipped.place == f"s3://code/flink-app/{digest}.zip"


def test_what_is_no_application_is_refused(tmp_path: Path) -> None:
    """A file that is missing, no zip, or has no entry point is named with the remedy."""
    (tmp_path / "text.zip").write_text("no zip")
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    for name in ("missing.zip", "text.zip", "empty.zip"):
        with pytest.raises(DeployError, match=rf"--zip .*{name}.*make package-flink"):
            code.inspect(tmp_path / name, "code")


def test_the_upload_carries_its_digest(stubs: Stubs, zipped: Code) -> None:
    """S3 is given the digest to compare, and asked afterwards whether all of it is there."""
    asked: dict[str, object] = {}
    stubs.clients.s3.meta.events.register(
        "provide-client-params.s3.PutObject", lambda params, **_: asked.update(params)
    )
    stubs.s3("put_object", {})
    stubs.s3("head_bucket", {})
    stubs.s3("head_object", {"ContentLength": zipped.size_bytes})
    code.upload(stubs.clients.s3, zipped)
    digest = base64.b64encode(hashlib.sha256(zipped.path.read_bytes()).digest()).decode()
    assert (asked["Key"], asked["ChecksumSHA256"]) == (zipped.key, digest)
    stubs.check()


def test_an_object_of_another_size_is_no_upload(stubs: Stubs, zipped: Code) -> None:
    """A key with other content than its digest says is told, and not taken for the zip."""
    stubs.s3("head_bucket", {})
    stubs.s3("head_object", {"ContentLength": zipped.size_bytes - 1})
    with pytest.raises(DeployError, match="somebody wrote over it"):
        code.is_uploaded(stubs.clients.s3, zipped)


def test_a_missing_object_is_not_a_missing_bucket(stubs: Stubs, zipped: Code) -> None:
    """The first is to be uploaded; the second is told with the bucket's name."""
    stubs.s3("head_bucket", {})
    stubs.s3_refuses("head_object", "404")
    assert not code.is_uploaded(stubs.clients.s3, zipped)
    stubs.s3_refuses("head_bucket", "404")
    with pytest.raises(DeployError, match="Reading --bucket code was refused with 404"):
        code.is_uploaded(stubs.clients.s3, zipped)
