"""A request that is refused, by endpoint or gateway: what is wrong, what it was, what to do."""

from http import HTTPStatus

VALUE_CHARACTERS_SHOWN = 200


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not a failure of ours
    """The base of every error that a caller is answered with.

    Attributes:
        status: The HTTP status to answer with.
        message: What is wrong.
        field: Where: a field of the request, or a part of the system.
        value: What it was, shortened.
        remedy: What the caller does about it.
    """

    status: HTTPStatus = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(self, message: str, *, field: str, value: object, remedy: str) -> None:
        super().__init__(f"{field}: {message}; {remedy}")
        self.message = message
        self.field = field
        self.value = str(value)[:VALUE_CHARACTERS_SHOWN]
        self.remedy = remedy
