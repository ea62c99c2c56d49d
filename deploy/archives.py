"""Archives whose bytes depend on their contents alone, so that an unchanged build is seen as one.

Entries are sorted by name and carry no owner, no mode of the building machine and no time but a
fixed one.
"""

import gzip
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can carry."""

FILE_MODE = 0o644
_COMPRESSION_LEVEL = 6
_PACKED = frozenset({".jar", ".gz"})
"""Suffixes of what is compressed already: doing it again takes seconds and saves nothing."""


class PackageError(Exception):
    """What should be packed is missing or too large; the message says what to do."""


def write_zip(
    path: Path, entries: Mapping[str, Path | bytes], too_large_bytes: int | None = None
) -> None:
    """Write a zip of entries, by their name inside it.

    Raises:
        PackageError: It has ``too_large_bytes`` or more; what was at ``path`` is still there then.
    """
    with _replacing(path) as part:
        with zipfile.ZipFile(part, "w") as archive:
            for name in sorted(entries):
                info = zipfile.ZipInfo(name, ZIP_EPOCH)
                is_packed = Path(name).suffix in _PACKED
                info.compress_type = zipfile.ZIP_STORED if is_packed else zipfile.ZIP_DEFLATED
                info.create_system = 3  # Unix, on whatever system this runs
                info.external_attr = (0o100000 | FILE_MODE) << 16
                archive.writestr(info, _content(entries[name]), compresslevel=_COMPRESSION_LEVEL)
        size = part.stat().st_size
        if too_large_bytes is not None and size >= too_large_bytes:
            raise PackageError(
                f"{path} would have {size} bytes, and must have less than {too_large_bytes}; "
                "leave out what is not used"
            )


def write_tar_gz(path: Path, entries: Mapping[str, Path | bytes]) -> None:
    """Write a gzipped tar of entries, by their name inside it."""
    with (
        _replacing(path) as part,
        part.open("wb") as raw,
        gzip.GzipFile("", "wb", _COMPRESSION_LEVEL, raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name in sorted(entries):
            content = _content(entries[name])
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), FILE_MODE
            archive.addfile(info, io.BytesIO(content))


def sha256(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def python_sources(root: Path, package: str, suffixes: frozenset[str]) -> Iterator[Path]:
    """Yield a package's files of the given suffixes, in the order of their paths.

    Raises:
        PackageError: The package is not there.
    """
    directory = root / package
    if not (directory / "__init__.py").is_file():
        raise PackageError(f"{directory} is no Python package; run from the repository's root")
    for path in sorted(directory.rglob("*")):
        if path.is_file() and path.suffix in suffixes and "__pycache__" not in path.parts:
            yield path


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path that takes the place of ``path`` only when all went well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _content(entry: Path | bytes) -> bytes:
    return entry if isinstance(entry, bytes) else entry.read_bytes()
