"""Takes a version out of the running: the undo of register and of compare."""

from deploy.promotion.context import Context
from deploy.promotion.failures import RefusedError
from deploy.promotion.operator import Plan


def reject(context: Context, version: int) -> None:
    """Say that a version may not serve.

    Raises:
        RefusedError: It serves, or there is no such version.
    """
    package = context.registry.package(version)
    serving = context.endpoint.serving()
    shown = [*serving.variants, *([serving.shadow] if serving.shadow else [])]
    if package.model in {variant.model for variant in shown}:
        raise RefusedError(f"endpoint: version {version} is served ({serving}); roll it back first")
    context.operator.agree(
        Plan(
            [f"reject version {version}, which is {package.status}"],
            "register, shadow and compare it again",
        )
    )
    context.registry.reject(package, "Rejected by hand")
    context.operator.say(f"done: version {version} is {context.registry.package(version).status}")
