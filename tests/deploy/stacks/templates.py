"""The synthesized templates, as the tests ask them."""

import json
from collections.abc import Iterator
from typing import Any

from deploy.app import Synthesis

Properties = dict[str, Any]


class Templates:
    """Every stack's template, by the stack's name without its prefix.

    Attributes:
        paths: Where the templates are.
        findings: What the review has against them.
    """

    def __init__(self, synthesis: Synthesis) -> None:
        self.paths = synthesis.templates
        self.findings = synthesis.findings
        self._templates = {
            path.name.removeprefix("roadside-").removesuffix(".template.json"): json.loads(
                path.read_text()
            )
            for path in self.paths
        }

    def template(self, stack: str) -> dict[str, Any]:
        """Return a stack's whole template."""
        template: dict[str, Any] = self._templates[stack]
        return template

    def resources(self, kind: str, stack: str | None = None) -> list[Properties]:
        """Return the properties of all resources of a kind, of one stack or of all."""
        return [properties for _, properties in self.named(kind, stack)]

    def named(self, kind: str, stack: str | None = None) -> Iterator[tuple[str, Properties]]:
        """Yield where a resource is, as ``stack/logical id``, and its properties."""
        for name, template in self._templates.items():
            for identifier, resource in template["Resources"].items():
                if resource["Type"] == kind and stack in (None, name):
                    yield f"{name}/{identifier}", resource.get("Properties", {})

    def statements(self, kind: str, stack: str | None = None) -> Iterator[tuple[str, Properties]]:
        """Yield where a policy of a kind is, and each of its statements.

        Actions and resources are lists in all of them.
        """
        for where, policy in self.named(kind, stack):
            for statement in policy["PolicyDocument"]["Statement"]:
                lists = {key: _listed(statement.get(key, [])) for key in ("Action", "Resource")}
                yield where, statement | lists


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
