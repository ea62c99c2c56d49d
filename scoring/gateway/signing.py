"""AWS signatures (version 4) of requests that we send ourselves, by botocore's own signer."""

from collections.abc import Mapping
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

SERVICE = "sagemaker"


class Signer:
    """Signs requests to the SageMaker runtime in one region."""

    def __init__(self, credentials: Any, region: str) -> None:
        """Sign with botocore credentials, which renew themselves; None leaves requests unsigned."""
        self._credentials = credentials
        self._region = region

    def headers(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> dict[str, str]:
        """Return the headers to add: date, signature, and the session's token if there is one."""
        if self._credentials is None:
            return {}
        request = AWSRequest(method=method, url=url, headers=dict(headers), data=body)
        frozen = self._credentials.get_frozen_credentials()
        SigV4Auth(frozen, SERVICE, self._region).add_auth(request)
        return {name: value for name, value in request.headers.items() if name not in headers}
