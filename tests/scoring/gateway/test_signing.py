from datetime import UTC, datetime

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from scoring.gateway.signing import Signer

HEADERS = {"Content-Type": "application/x-msgpack", "Accept": "application/x-msgpack"}


def _botocores(credentials: Credentials, url: str, body: bytes) -> dict[str, str]:
    request = AWSRequest(method="POST", url=url, headers=dict(HEADERS), data=body)
    SigV4Auth(credentials.get_frozen_credentials(), "sagemaker", "eu-west-1").add_auth(request)
    return {name: value for name, value in request.headers.items() if name not in HEADERS}


@pytest.mark.parametrize("token", [None, "a/session+token=="])
@pytest.mark.parametrize("host", ["127.0.0.1:8080", "runtime.sagemaker.eu-west-1.amazonaws.com"])
def test_it_signs_as_botocore_does(token: str | None, host: str) -> None:
    """Date, token and signature are those of botocore's own signer, whatever the address."""
    credentials = Credentials("AKIDEXAMPLE", "a secret", token)
    path, body = "/endpoints/dispatch-ranker/invocations", b"\x00\xff" * 20_000
    expected = _botocores(credentials, f"http://{host}{path}", body)
    moment = datetime.strptime(expected["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    signer = Signer(credentials, "eu-west-1", lambda: moment)
    assert signer.headers(host, path, HEADERS, body) == expected


def test_without_credentials_nothing_is_signed() -> None:
    """A local endpoint may be called by who has no AWS credentials."""
    assert Signer(None, "eu-west-1").headers("127.0.0.1:8080", "/endpoints/e", {}, b"") == {}
