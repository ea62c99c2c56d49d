"""Objects on S3, by their URI."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit


class Storage:
    """S3.

    Args:
        client: boto3's ``s3``.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def read(self, uri: str) -> bytes:
        """Return an object."""
        bucket, key = _split(uri)
        content: bytes = self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
        return content

    def write(self, uri: str, content: bytes) -> None:
        """Write an object."""
        bucket, key = _split(uri)
        self._client.put_object(Bucket=bucket, Key=key, Body=content)

    def below(self, uri: str, since: datetime) -> Iterator[bytes]:
        """Yield the objects below a URI that were written since then, newest first."""
        bucket, prefix = _split(uri)
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        found = [entry for page in pages for entry in page.get("Contents", [])]
        for entry in sorted(found, key=lambda entry: entry["LastModified"], reverse=True):
            if entry["LastModified"] >= since:
                yield self.read(f"s3://{bucket}/{entry['Key']}")


def _split(uri: str) -> tuple[str, str]:
    parts = urlsplit(uri)
    if parts.scheme != "s3" or not parts.netloc:
        raise ValueError(f"{uri!r} is no place on S3; write it as s3://bucket/key")
    return parts.netloc, parts.path.lstrip("/")
