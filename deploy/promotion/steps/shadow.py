"""Lets a version answer copies of production's requests; nobody listens to it."""

from collections.abc import Iterator

import msgspec

from deploy.names import PRODUCTION_VARIANT, SHADOW_VARIANT
from deploy.promotion import gates
from deploy.promotion.change import config_name, guard_of, serve
from deploy.promotion.context import Context
from deploy.promotion.endpoint import Deployment, Variant
from deploy.promotion.evidence import evaluation
from deploy.promotion.failures import refuse_for
from deploy.promotion.operator import Plan
from deploy.promotion.registry import REJECTED, Package


def shadow(
    context: Context,
    version: int,
    captures: str | None,
    capture_percent: int,
    bake_s: int,
) -> None:
    """Add a version as the shadow of production, and capture what both answer.

    Args:
        context: The services, the person and the limits.
        version: In the registry.
        captures: Where to capture, an S3 URI; None is where the endpoint captures already.
        capture_percent: Of the requests.
        bake_s: How long production's alarms are watched once the shadow is there, seconds.

    Raises:
        RefusedError: A gate fails, or a promotion is under way.
        RolledBackError: Production's alarms did not stand the shadow.
    """
    serving = context.endpoint.serving()
    package = context.registry.package(version)
    place = captures or serving.captures
    guard = guard_of([PRODUCTION_VARIANT], bake_s)
    reasons = [
        *_endpoint_reasons(serving, package),
        *offline_reasons(context, package),
    ]
    if not place:
        reasons.append("captures: the endpoint captures nothing yet; say where with --captures")
    states = context.measurements.alarms(guard.alarms)
    refuse_for([*reasons, *gates.alarms(states, guard.alarms)])
    made = Deployment(
        config=config_name(f"v{version}-shadow"),
        variants=serving.variants,
        shadow=Variant(SHADOW_VARIANT, package.model, serving.production.weight),
        before=serving.config,
        captures=place,
        capture_percent=capture_percent,
    )
    context.operator.agree(
        Plan(
            [
                f"make model {package.model} of {package.model_data}",
                f"serve {made}",
                f"capture {capture_percent}% of questions and answers below {place}",
                f"roll back by itself if an alarm of production rings within {bake_s} s",
            ],
            "python -m deploy.promotion rollback",
        )
    )
    context.registry.make_model(package, like=serving.production.model)
    serve(context, made, serving.config, guard)


def offline_reasons(context: Context, package: Package) -> Iterator[str]:
    """Yield why what was measured of a version offline is not enough."""
    if not package.evaluation:
        yield f"offline: version {package.version} has no evaluation in the registry"
        return
    try:
        found = evaluation(context.storage.read(package.evaluation))
    except msgspec.DecodeError as error:
        yield f"offline: {package.evaluation} is no evaluation ({error})"
        return
    yield from gates.offline(found, context.limits)


def _endpoint_reasons(serving: Deployment, package: Package) -> list[str]:
    reasons = []
    if not serving.is_settled:
        reasons.append(f"endpoint: a promotion is under way ({serving}); roll it back first")
    if package.status == REJECTED:
        reasons.append(f"registry: version {package.version} was rejected")
    if package.model == serving.production.model:
        reasons.append(f"registry: version {package.version} is in production already")
    return reasons
