"""Puts beside the gateway what it reads, before it starts: the bundle and the file of API keys.

    MODEL_DATA=s3://bucket/models/model.tar.gz API_KEYS='- {name: ...}' python prepare.py /prepared

The bundle, the fallback when the endpoint is away, comes from where the endpoint has it. The keys'
hashes come as text, since ECS hands out secrets as variables only.
"""

import io
import os
import sys
import tarfile
from pathlib import Path
from urllib.parse import urlsplit

import boto3

BUNDLE, KEYS = "bundle", "api-keys.yaml"
OWNER_ONLY = 0o600


def main(arguments: list[str]) -> int:
    """Write both into the directory that is the only argument; return the exit code."""
    (directory,) = map(Path, arguments)
    fetch_bundle(os.environ["MODEL_DATA"], directory / BUNDLE)
    keys = directory / KEYS
    keys.touch(OWNER_ONLY)
    keys.write_text(os.environ["API_KEYS"])
    return 0


def fetch_bundle(place: str, directory: Path) -> None:
    """Unpack a ``model.tar.gz`` from S3.

    Args:
        place: ``s3://bucket/key``.
        directory: Where the bundle's files shall be.
    """
    address = urlsplit(place)
    archive = io.BytesIO()
    boto3.client("s3").download_fileobj(address.netloc, address.path.lstrip("/"), archive)
    archive.seek(0)
    with tarfile.open(fileobj=archive, mode="r:gz") as members:
        members.extractall(directory, filter="data")  # no path out of the directory, no device


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
