"""How Redis is reached: address, TLS, password, replicas, patience; the same for all who ask it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from redis import Redis, exceptions
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import EqualJitterBackoff
from redis.retry import Retry

FIRST_PAUSE_S = 0.02
LONGEST_PAUSE_S = 0.5
LOST = (exceptions.ConnectionError, exceptions.TimeoutError, OSError)
"""Errors after which a command is sent again: reads and writes of rows may all be repeated."""

_SCHEMES = ("redis", "rediss", "unix")


class RedisSettingsError(ValueError):
    """Settings that cannot be used; the message names field, value and remedy."""


@dataclass(frozen=True)
class RedisSettings:
    """Where Redis is and how it is asked.

    Attributes:
        url: The primary: ``redis://[[user]:password@]host:port/db``, ``rediss://`` for TLS.
        replica_urls: Replicas that reads go to, in turn; the primary is asked when none answers.
        password: For ``url`` and the replicas, where it is not in the URL.
        ca_file: The authority that signed the server's certificate; without it the system's.
        cert_file: Our own certificate, where the server asks for one.
        key_file: Its key.
        connect_s: How long a connection may take.
        answer_s: How long an answer may take.
        retries: How often a command is sent again when the server is away: 5 are about a second.
    """

    url: str
    replica_urls: tuple[str, ...] = ()
    password: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    connect_s: float = 1.0
    answer_s: float = 5.0
    retries: int = 5

    def __post_init__(self) -> None:
        for url in (self.url, *self.replica_urls):
            self._check(url)

    def _check(self, url: str) -> None:
        address = urlsplit(url)
        shown = f"{address.scheme}://{address.hostname}"  # never the password
        if address.scheme not in _SCHEMES:
            raise RedisSettingsError(
                f"url {shown!r}: a Redis URL begins with {', '.join(_SCHEMES)}; "
                "write redis://host:port/db, or rediss:// for TLS"
            )
        given = [name for name, value in self._tls_files().items() if value]
        if given and address.scheme != "rediss":
            raise RedisSettingsError(
                f"url {shown!r} is without TLS, and {' and '.join(given)} would not be used; "
                "write rediss://, or leave the files out"
            )

    def _tls_files(self) -> dict[str, str | None]:
        return {"ca_file": self.ca_file, "cert_file": self.cert_file, "key_file": self.key_file}

    def primary(self) -> Redis:
        """Return a client of the primary; it connects when it is first used."""
        return self._client(self.url, self.retries)

    def replicas(self) -> list[Redis]:
        """Return a client of each replica; it does not retry, since another one can be asked."""
        return [self._client(url, 0) for url in self.replica_urls]

    def async_primary(self) -> AsyncRedis:
        """Return an asyncio client of the primary."""
        return self._async_client(self.url, self.retries)

    def async_replicas(self) -> list[AsyncRedis]:
        """Return an asyncio client of each replica."""
        return [self._async_client(url, 0) for url in self.replica_urls]

    def _client(self, url: str, retries: int) -> Redis:
        return Redis.from_url(url, retry=Retry(_pauses(), retries, LOST), **self._options(url))

    def _async_client(self, url: str, retries: int) -> AsyncRedis:
        retry = AsyncRetry(_pauses(), retries, LOST)  # type: ignore[arg-type]
        client: AsyncRedis = AsyncRedis.from_url(url, retry=retry, **self._options(url))
        return client

    def _options(self, url: str) -> Mapping[str, Any]:
        options: dict[str, Any] = {
            "socket_connect_timeout": self.connect_s,
            "socket_timeout": self.answer_s,
            "retry_on_error": list(LOST),
        }
        if self.password:
            options["password"] = self.password
        if urlsplit(url).scheme == "rediss":
            options["ssl_check_hostname"] = True  # not this version's default
            options["ssl_ca_certs"] = self.ca_file
            options["ssl_certfile"] = self.cert_file
            options["ssl_keyfile"] = self.key_file
        return options


def _pauses() -> EqualJitterBackoff:
    return EqualJitterBackoff(LONGEST_PAUSE_S, FIRST_PAUSE_S)
