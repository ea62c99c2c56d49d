"""What a caller does about a field that does not fit, from the schema of the request itself."""

import re
from typing import Any

import msgspec

from scoring.gateway.invalid_field import ABSENT, InvalidField
from scoring.gateway.messages import RecommendationRequest

_SCHEMAS: dict[str, Any] = msgspec.json.schema(RecommendationRequest)["$defs"]
_INDEX = re.compile(r"\[\d+\]")


def remedy(wrong: InvalidField) -> str:
    """Return what to send instead, such as "send a number from -90 to 90"."""
    if not wrong.path:
        return "send a JSON object as /docs shows it"
    schema, fields = _schema(wrong.path)
    if schema is None:
        return f"leave it out; the fields are {', '.join(fields)}"
    verb = "add it:" if wrong.value == ABSENT else "send"
    return f"{verb} {_fitting(schema)}"


def _schema(path: str) -> tuple[dict[str, Any] | None, list[str]]:
    """Return the schema at a path, None if there is none, and the fields beside it."""
    place = _SCHEMAS[RecommendationRequest.__name__]
    fields: list[str] = []
    for step in _INDEX.sub("", path).split("."):
        properties = place.get("properties", {})
        fields = list(properties)
        if step not in properties:
            return None, fields
        place = _resolved(properties[step])
    return place, fields


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        found: dict[str, Any] = _SCHEMAS[schema["$ref"].rsplit("/", 1)[1]]
        return found
    for variant in schema.get("anyOf", []):
        if variant.get("type") != "null":
            return _resolved(variant)
    return schema


def _fitting(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return f"one of {', '.join(schema['enum'])}"
    if schema["type"] in {"number", "integer"}:
        kind = "a number" if schema["type"] == "number" else "a whole number"
        least = schema.get("minimum", schema.get("exclusiveMinimum"))
        beyond = " (without it)" if "exclusiveMinimum" in schema else ""
        return f"{kind} from {least:g}{beyond} to {schema['maximum']:g}"
    if schema["type"] == "string":
        return f"text of {schema['minLength']} to {schema['maxLength']} characters"
    if schema["type"] == "array":
        return f"a list of at most {schema['maxItems']} provider ids, which are text"
    return f"an object with {', '.join(schema['properties'])}"
