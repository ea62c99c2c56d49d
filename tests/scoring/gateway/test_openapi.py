import inspect
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import validate

from scoring.gateway import errors, openapi
from scoring.gateway.admit import deadline
from scoring.gateway.errors import GatewayError

DOCUMENT = openapi.document("1.0")
OPERATIONS = {
    (path, method): operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}


def test_the_document_is_openapi() -> None:
    """A validator that others wrote finds nothing wrong with it."""
    validate(DOCUMENT)


@pytest.mark.parametrize(("milliseconds", "allowed"), [(1, True), (10_000, True), (10_001, False)])
def test_deadlines_are_described_as_they_are_admitted(milliseconds: int, allowed: bool) -> None:
    """The header that a client may send is described, with the bounds that the gateway has."""
    (header,) = OPERATIONS["/v1/recommendations", "post"]["parameters"]
    described = jsonschema.Draft202012Validator(header["schema"]).is_valid(milliseconds)
    assert (header["in"], described) == ("header", allowed)
    if allowed:
        assert deadline(str(milliseconds)).remaining_s() <= milliseconds / 1000
    else:
        with pytest.raises(errors.InvalidRequestError, match="milliseconds"):
            deadline(str(milliseconds))


def _media(content: dict[str, Any]) -> dict[str, Any]:
    (media,) = content.values()
    assert isinstance(media, dict)
    return media


def _responses() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (operation["operationId"], status, response)
        for operation in OPERATIONS.values()
        for status, response in operation["responses"].items()
    ]


def _refusals() -> dict[str, set[str]]:
    """Return the classes of refusals to the statuses under which they are described."""
    found: dict[str, set[str]] = {}
    for _, status, response in _responses():
        for name in _media(response["content"]).get("examples", {}):
            found.setdefault(name, set()).add(status)
    return found


def test_every_refusal_is_described_with_its_status() -> None:
    """Each class of refusal appears in the document, under its own status and no other."""
    classes = {
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, GatewayError) and kind is not GatewayError
    }
    assert _refusals() == {kind.__name__: {str(int(kind.status))} for kind in classes}


@pytest.mark.parametrize(
    ("operation", "status", "response"), _responses(), ids=lambda value: str(value)[:12]
)
def test_every_example_fits_its_schema(
    operation: str, status: str, response: dict[str, Any]
) -> None:
    """What the document shows is what its schemas allow, for answers and refusals alike."""
    media = _media(response["content"])
    shown = [media["example"]] if "example" in media else [
        example["value"] for example in media["examples"].values()
    ]  # fmt: skip
    assert shown, (operation, status)
    for example in shown:
        _check(example, media["schema"])


def test_the_example_of_a_request_fits_its_schema() -> None:
    """The request that the page offers to try is a right one."""
    media = _media(OPERATIONS["/v1/recommendations", "post"]["requestBody"]["content"])
    _check(media["example"], media["schema"])


def _check(example: object, schema: dict[str, Any]) -> None:
    whole = {**schema, "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(whole).validate(example)


def test_who_may_ask_without_a_key_is_said() -> None:
    """Only health and readiness are described as open; how to send a key is said."""
    open_paths = {
        path for (path, _), operation in OPERATIONS.items() if operation.get("security") == []
    }
    assert open_paths == {"/healthz", "/readyz"}
    assert {scheme["scheme"] for scheme in DOCUMENT["components"]["securitySchemes"].values()} == {
        "bearer",
        "basic",
    }
    assert "Authorization: Bearer KEY" in DOCUMENT["info"]["description"]


def test_every_field_of_an_answer_is_described() -> None:
    """A client's developer finds a description at each field of the request and the answer."""
    schemas = DOCUMENT["components"]["schemas"]
    bare = [
        f"{name}.{field}"
        for name in ("RecommendationRequest", "RecommendationAnswer", "Recommendation", "WhyNot")
        for field, schema in schemas[name]["properties"].items()
        if not {"description", "$ref"} & set(schema)
    ]
    assert bare == []
