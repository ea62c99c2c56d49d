"""API keys: a file of hashes that is taken anew when it changes, so that keys rotate.

Several keys are valid at a time: add the new one, move the clients, remove the old one. A key is
256 random bits, so a plain SHA-256 of it cannot be guessed back; the file does not give it away.
"""

import hashlib
import hmac
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import yaml
from msgspec import Meta

from scoring.gateway.errors import ConfigurationError
from scoring.gateway.invalid_field import invalid_field

KEY_BYTES = 32
PREFIX = "rdr_"
"""Makes a key that was leaked findable."""
MAKE_ONE = "make one with python -m scoring.gateway.make_key"


class ApiKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One key's entry in the file.

    Attributes:
        name: Who uses it; told in metrics, so that an old key is seen to be unused.
        sha256: Of the key's UTF-8 bytes, hexadecimal.
        expires: Not valid from then on; None never expires.
    """

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    expires: Annotated[datetime, Meta(tz=True)] | None = None


def load_keys(path: Path) -> list[ApiKey]:
    """Load and check a key file.

    Raises:
        ConfigurationError: It is absent or wrong, or has no key; names file, field, value, remedy.
    """
    try:
        text = path.read_bytes()
        keys = msgspec.yaml.decode(text, type=list[ApiKey])
    except OSError as error:
        raise ConfigurationError(f"key file {path}: {error.strerror}; {MAKE_ONE}") from error
    except msgspec.ValidationError as error:
        wrong = invalid_field(error, yaml.safe_load(text))
        where = wrong.path or "the file"
        raise ConfigurationError(
            f"key file {path}: {where}: {wrong.reason}, it is {wrong.value!r}; {MAKE_ONE}"
        ) from error
    except msgspec.DecodeError as error:
        raise ConfigurationError(f"key file {path}: is not YAML ({error}); {MAKE_ONE}") from error
    if not keys:
        raise ConfigurationError(f"key file {path}: has no key; {MAKE_ONE}")
    return keys


def new_key(name: str, expires: datetime | None = None) -> tuple[str, ApiKey]:
    """Return a new key, to be told once, and its entry for the file."""
    key = PREFIX + secrets.token_urlsafe(KEY_BYTES)
    return key, ApiKey(name, _sha256(key), expires)


def name_of(key: str, keys: list[ApiKey]) -> str | None:
    """Return the name of the valid entry that a key belongs to; None if there is none.

    Every entry is compared, in constant time, so that the answer's time tells nothing.
    """
    presented, now = _sha256(key), datetime.now(UTC)
    names = [
        entry.name
        for entry in keys
        if hmac.compare_digest(presented, entry.sha256)
        and (entry.expires is None or now < entry.expires)
    ]
    return names[0] if names else None


def _sha256(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
