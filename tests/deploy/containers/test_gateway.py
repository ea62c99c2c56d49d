import ast
import re
import stat
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import pytest

pytest.importorskip("moto", reason="the deploy environment has the stand-in for S3")

import boto3
from moto import mock_aws

from deploy.archives import write_tar_gz
from deploy.containers.gateway import prepare

REPOSITORY = Path(__file__).parents[3]
DOCKERFILE = (REPOSITORY / "deploy/containers/gateway/Dockerfile").read_text()
BUCKET, KEY = "artifacts", "models/a/model.tar.gz"


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A bucket with a packed bundle, and nobody's credentials."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    packed = tmp_path / "model.tar.gz"
    write_tar_gz(packed, {"bundle.json": b"{}", "ranker.cbm": b"model"})
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        s3.upload_file(str(packed), BUCKET, KEY)
        yield


@pytest.mark.usefixtures("bucket")
def test_bundle_and_keys_are_there_when_the_gateway_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bundle is unpacked and the key file written, which only its owner may read."""
    monkeypatch.setenv("MODEL_DATA", f"s3://{BUCKET}/{KEY}")
    monkeypatch.setenv("API_KEYS", "- {name: dispatch}")
    prepared = tmp_path / "prepared"
    prepared.mkdir()
    assert prepare.main([str(prepared)]) == 0
    assert (prepared / "bundle" / "ranker.cbm").read_bytes() == b"model"
    keys = prepared / "api-keys.yaml"
    assert keys.read_text() == "- {name: dispatch}"
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600


@pytest.mark.usefixtures("bucket")
def test_a_bundle_that_is_not_there_ends_the_start(tmp_path: Path) -> None:
    """A wrong place is an error with its key, not a gateway without a fallback."""
    with pytest.raises(Exception, match="404"):
        prepare.fetch_bundle(f"s3://{BUCKET}/models/none.tar.gz", tmp_path)


def test_the_image_has_all_that_it_copies() -> None:
    """Every source of the Dockerfile is in the repository, and the extra that it installs too."""
    copied = [
        source
        for line in re.findall(r"^COPY (.+)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    assert [source for source in copied if not (REPOSITORY / source).exists()] == []
    (extra,) = re.findall(r'"\.\[(\w+)\]"', DOCKERFILE)
    settings = ConfigParser()
    settings.read(REPOSITORY / "setup.cfg")
    assert extra in settings["options.extras_require"]


def test_the_image_has_all_that_the_gateway_imports() -> None:
    """No module of the gateway imports a room that is not copied."""
    copied = set(re.findall(r"^COPY (\w+) ", DOCKERFILE, re.MULTILINE))
    ours = {path.parent.name for path in REPOSITORY.glob("*/__init__.py")}
    imported = {
        name.split(".")[0]
        for room in copied
        for path in (REPOSITORY / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in _names(node)
    }
    assert imported & ours <= copied


def test_the_image_runs_without_rights() -> None:
    """The user of the image is the one that the task names, and not root."""
    assert re.findall(r"--uid (\d+)", DOCKERFILE) == ["10001"]
    assert DOCKERFILE.index("USER gateway") < DOCKERFILE.index("ENTRYPOINT")


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
