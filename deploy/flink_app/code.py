"""Phase one: the zip, put into S3 under a name made of its content."""

import base64
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from deploy.archives import sha256
from deploy.flink_app.failures import DeployError, refusals

PREFIX = "flink-app/"
ENTRY_POINT = "main.py"


@dataclass(frozen=True)
class Code:
    """A zip and its place.

    Attributes:
        path: The file.
        bucket: The bucket it goes to.
        sha256: Its SHA-256 in hexadecimal.
        size_bytes: Its size.
    """

    path: Path
    bucket: str
    sha256: str
    size_bytes: int

    @property
    def key(self) -> str:
        """The object's key: the same bytes have the same key, other bytes another."""
        return f"{PREFIX}{self.sha256}.zip"

    @property
    def place(self) -> str:
        """The object as people write it."""
        return f"s3://{self.bucket}/{self.key}"


def inspect(path: Path, bucket: str) -> Code:
    """Read what there is to know of a zip.

    Raises:
        DeployError: It is not there, or not a zip of the application.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, zipfile.BadZipFile) as error:
        raise DeployError(f"--zip {path}: {error}; make it with `make package-flink`") from error
    if ENTRY_POINT not in names:
        raise DeployError(f"--zip {path} has no {ENTRY_POINT}; make it with `make package-flink`")
    return Code(path, bucket, sha256(path), path.stat().st_size)


def is_uploaded(s3: Any, code: Code) -> bool:
    """Return whether the object is there, whole.

    Raises:
        DeployError: The bucket is not there or not ours to read, or another object has the key.
    """
    with refusals(f"Reading --bucket {code.bucket}"):
        s3.head_bucket(Bucket=code.bucket)
        try:
            found = s3.head_object(Bucket=code.bucket, Key=code.key)
        except ClientError as error:
            if error.response["Error"]["Code"] == "404":
                return False
            raise
    if found["ContentLength"] != code.size_bytes:
        raise DeployError(
            f"{code.place} has {found['ContentLength']} bytes and should have {code.size_bytes}: "
            "somebody wrote over it; delete it and run the same command again"
        )
    return True


def upload(s3: Any, code: Code) -> None:
    """Put the zip in its place; S3 compares the digest with what arrives.

    Raises:
        DeployError: It is not there whole afterwards.
    """
    digest = base64.b64encode(bytes.fromhex(code.sha256)).decode()
    with refusals(f"Uploading to {code.place}"), code.path.open("rb") as body:
        s3.put_object(Bucket=code.bucket, Key=code.key, Body=body, ChecksumSHA256=digest)
    if not is_uploaded(s3, code):
        raise DeployError(f"{code.place} is not there after the upload; run the same command again")
