import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from pydantic import ValidationError

from feature_repo.online.reader import FeatureReader, Lookup
from feature_repo.online.redis_settings import RedisSettings, RedisSettingsError
from feature_repo.online.row_writer import RowWriter
from feature_repo.schema import PROVIDER_PROFILE
from tests.support import rows
from tests.support.certificates import Certificates, make_certificates
from tests.support.redis_servers import RedisServer, redis_running

PROJECT = "test"
T0 = 1_700_000_000_000_000
NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    """An authority, and a server's certificate."""
    return make_certificates(tmp_path)


@pytest.fixture
def tls_server(tmp_path: Path, certificates: Certificates) -> Iterator[RedisServer]:
    """A server that speaks TLS alone and wants a password."""
    arguments = (*certificates.redis_arguments(), "--requirepass", "secret")
    with redis_running(tmp_path, *arguments) as server:
        yield server


def _write_and_read(settings: RedisSettings) -> float:
    client = settings.primary()
    rows.write(RowWriter(client, PROJECT), PROVIDER_PROFILE, ["p1"], T0, radius_km=12.0)
    return _read(FeatureReader(client, PROJECT))


def _read(reader: FeatureReader) -> float:
    found = reader.read([Lookup((PROVIDER_PROFILE,), [("p1",)])], T0)
    return float(found["provider_profile"].columns["provider_profile__radius_km"][0])


@pytest.mark.integration
def test_a_password_may_be_in_the_url_or_beside_it(tmp_path: Path) -> None:
    """Both let in; a wrong one is refused with Redis's own words."""
    with redis_running(tmp_path, "--requirepass", "secret") as server:
        assert _write_and_read(RedisSettings(server.url(), password="secret")) == 12.0
        assert _write_and_read(RedisSettings(server.url(user_info=":secret@"))) == 12.0
        with pytest.raises(redis.AuthenticationError, match="invalid username-password"):
            _write_and_read(RedisSettings(server.url(), password="wrong", retries=0))


@pytest.mark.integration
def test_tls_with_the_authority_that_signed(
    tls_server: RedisServer, certificates: Certificates
) -> None:
    """Rows are written and read over TLS, given the authority's certificate."""
    url = tls_server.url("rediss")
    told = RedisSettings(url, password="secret", ca_file=str(certificates.ca))
    assert _write_and_read(told) == 12.0
    in_the_url = f"{tls_server.url('rediss', ':secret@')}?ssl_ca_certs={certificates.ca}"
    assert _write_and_read(RedisSettings(in_the_url)) == 12.0


@pytest.mark.integration
def test_tls_with_nobody_who_can_be_trusted(tls_server: RedisServer) -> None:
    """A certificate that no known authority has signed ends the connection."""
    with pytest.raises(redis.ConnectionError, match="certificate verify failed"):
        _write_and_read(RedisSettings(tls_server.url("rediss"), password="secret", retries=0))


@pytest.mark.integration
def test_tls_with_somebody_else(tmp_path: Path) -> None:
    """A certificate of another address ends the connection, whoever signed it."""
    certificates = make_certificates(tmp_path, address="127.0.0.2")
    with redis_running(tmp_path, *certificates.redis_arguments()) as server:
        settings = RedisSettings(server.url("rediss"), ca_file=str(certificates.ca), retries=0)
        with pytest.raises(redis.ConnectionError, match="certificate is not valid for"):
            _write_and_read(settings)


@pytest.mark.integration
def test_a_server_that_was_restarted_between_reads(tmp_path: Path) -> None:
    """Reader and writer go on as before; the server has forgotten rows and script."""
    with redis_running(tmp_path) as server:
        client = RedisSettings(server.url()).primary()
        reader, writer = FeatureReader(client, PROJECT), RowWriter(client, PROJECT)
        rows.write(writer, PROVIDER_PROFILE, ["p1"], T0, radius_km=12.0)
        assert _read(reader) == 12.0
        server.kill()
        server.start()
        found = reader.read([Lookup((PROVIDER_PROFILE,), [("p1",)])], T0)
        assert found["provider_profile"].missing.all()
        rows.write(writer, PROVIDER_PROFILE, ["p1"], T0, radius_km=13.0)
        assert _read(reader) == 13.0


@pytest.mark.integration
def test_a_server_that_comes_back_during_a_read(tmp_path: Path) -> None:
    """A read that finds nobody asks again, and is answered when the server is back."""
    with redis_running(tmp_path) as server:
        reader = FeatureReader(RedisSettings(server.url(), retries=50).primary(), PROJECT)
        reader.read([Lookup((PROVIDER_PROFILE,), [("p1",)])], T0)
        server.kill()
        back = threading.Thread(target=server.start)
        back.start()
        try:
            found = reader.read([Lookup((PROVIDER_PROFILE,), [("p1",)])], T0)
        finally:
            back.join()
        assert found["provider_profile"].missing.all()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"url": "http://:secret@host/0"}, "'http://host': a Redis URL begins with"),
        ({"url": "redis://host/0", "ca_file": "ca.pem"}, "without TLS, and ca_file"),
        ({"url": "rediss://host/0", "replica_urls": ("redis://other/0",), "cert_file": "c",
          "key_file": "k"}, "'redis://other' is without TLS, and cert_file and key_file"),
    ],
)  # fmt: skip
def test_settings_that_contradict_one_another(given: dict[str, object], told: str) -> None:
    """They are refused by name, with the remedy and without the password."""
    with pytest.raises(RedisSettingsError, match=told) as refused:
        RedisSettings(**given)  # type: ignore[arg-type]
    assert "secret" not in str(refused.value)


def test_a_password_is_not_shown() -> None:
    """Neither settings nor the Feast configuration show the password where they are printed."""
    from feature_repo.online.row_store import RowOnlineStoreConfig  # noqa: PLC0415 - imports Feast

    config = RowOnlineStoreConfig(url=NOWHERE, password="secret")
    assert config.settings().password == "secret"
    assert "secret" not in f"{config} {config.settings()} {config.model_dump_json()}"


def test_an_unknown_setting_is_refused() -> None:
    """A misspelt field of the online store's block is an error, not ignored."""
    from feature_repo.online.row_store import RowOnlineStoreConfig  # noqa: PLC0415 - imports Feast

    with pytest.raises(ValidationError, match="replica_url"):
        RowOnlineStoreConfig(url=NOWHERE, replica_url="redis://other/0")
