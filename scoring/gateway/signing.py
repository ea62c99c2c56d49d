"""AWS signatures (version 4) of the requests that we send ourselves.

botocore's signer costs more than all else that the client does (docs/gateway.md): it parses and
quotes an address that never changes, and derives a key that changes once a day. Ours signs the
same; a test holds it to botocore's, byte by byte.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

SERVICE = "sagemaker"
_ALGORITHM = "AWS4-HMAC-SHA256"


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Signer:
    """Signs POST requests to the SageMaker runtime of one region.

    Args:
        credentials: botocore's, which renew themselves; None leaves requests unsigned.
        region: Of AWS.
        now: Tells the time.
    """

    def __init__(
        self, credentials: Any, region: str, now: Callable[[], datetime] = _utc_now
    ) -> None:
        self._credentials = credentials
        self._region = region
        self._now = now

    def headers(
        self, host: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> dict[str, str]:
        """Return what to add to a request's headers: date, signature, the session's token.

        The path is of letters, digits, ``-`` and ``/``, as those of the runtime are.
        """
        if self._credentials is None:
            return {}
        frozen = self._credentials.get_frozen_credentials()
        moment = self._now().strftime("%Y%m%dT%H%M%SZ")
        added = {"X-Amz-Date": moment}
        if frozen.token:
            added["X-Amz-Security-Token"] = frozen.token
        signed = {"host": host, **_lower(headers), **_lower(added)}
        names = ";".join(sorted(signed))
        lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
        asked = f"POST\n{path}\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
        scope = f"{moment[:8]}/{self._region}/{SERVICE}/aws4_request"
        digest = hashlib.sha256(asked.encode()).hexdigest()
        key = _key(frozen.secret_key, moment[:8], self._region)
        signature = _hmac(key, f"{_ALGORITHM}\n{moment}\n{scope}\n{digest}").hex()
        added["Authorization"] = (
            f"{_ALGORITHM} Credential={frozen.access_key}/{scope}, "
            f"SignedHeaders={names}, Signature={signature}"
        )
        return added


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@lru_cache(maxsize=4)
def _key(secret: str, day: str, region: str) -> bytes:
    """Return the key of one day."""
    key = b"AWS4" + secret.encode()
    for text in (day, region, SERVICE, "aws4_request"):
        key = _hmac(key, text)
    return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
