"""A certificate authority and a server's certificate for 127.0.0.1, made with openssl."""

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certificates:
    """Where the authority's certificate, and the server's with its key, are."""

    ca: Path
    certificate: Path
    key: Path

    def redis_arguments(self) -> tuple[str, ...]:
        """Return what makes redis-server speak TLS with these."""
        return (
            "--tls-port",
            "--tls-cert-file", str(self.certificate),
            "--tls-key-file", str(self.key),
            "--tls-ca-cert-file", str(self.ca),
            "--tls-auth-clients", "no",
        )  # fmt: skip


def make_certificates(directory: Path, address: str = "127.0.0.1") -> Certificates:
    """Make both, good for a day, for a server at this address."""
    ca, ca_key = directory / "ca.pem", directory / "ca.key"
    certificate, key = directory / "server.pem", directory / "server.key"
    new = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    _openssl(*new, "-subj", "/CN=test authority", "-keyout", ca_key, "-out", ca)
    _openssl(
        *new, "-subj", "/CN=redis", "-addext", f"subjectAltName=IP:{address}",
        "-addext", "basicConstraints=critical,CA:FALSE",
        "-CA", ca, "-CAkey", ca_key, "-keyout", key, "-out", certificate,
    )  # fmt: skip
    return Certificates(ca, certificate, key)


def _openssl(*arguments: object) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
