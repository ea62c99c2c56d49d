"""Gives an approved version 5, 25 and 100 % of the requests, each share guarded by the alarms.

A guarded change keeps the variants' names, so the candidate joins with no share and leaves with
none; in between each share is a blue/green change of its own, which SageMaker itself watches and
rolls back, also when this command is not there any more.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from deploy.names import CANDIDATE_VARIANT, PRODUCTION_VARIANT
from deploy.promotion import gates
from deploy.promotion.change import NEXT, config_name, go_to, guard_of, hurt, serve
from deploy.promotion.context import Context
from deploy.promotion.endpoint import Deployment, Guard, Variant
from deploy.promotion.failures import RolledBackError, refuse_for
from deploy.promotion.operator import Plan
from deploy.promotion.registry import APPROVED, Package

SHARES = (5, 25)
"""Percent of the requests, before all of them."""


@dataclass(frozen=True)
class Stage:
    """One change: what it serves, and whether requests are at stake."""

    deployment: Deployment
    guarded: bool


def canary(context: Context, version: int, bake_s: int) -> None:
    """Bring a version into production, share by share.

    Args:
        context: The services, the person and the limits.
        version: In the registry.
        bake_s: How long each share is watched, seconds.

    Raises:
        RefusedError: The version is not approved beside this production, guardrails are missing,
            or another promotion is under way.
        RolledBackError: An alarm rang, or a stage proved nothing; production is as it was.
    """
    serving = context.endpoint.serving()
    package = context.registry.package(version)
    guard = guard_of([CANDIDATE_VARIANT, PRODUCTION_VARIANT], bake_s)
    states = context.measurements.alarms(guard.alarms)
    refuse_for([*_reasons(serving, package), *gates.alarms(states, guard.alarms)])
    settled = serving.before if serving.shadow else serving.config
    stages = list(plan(serving.production, package, settled))
    context.operator.agree(
        Plan(
            [
                f"make model {package.model} of {package.model_data}",
                *(f"serve {stage.deployment}{_watched(stage, bake_s)}" for stage in stages),
                f"go back to {settled} by itself on any of {', '.join(guard.alarms)}",
            ],
            "Ctrl-C meanwhile; python -m deploy.promotion rollback afterwards",
        )
    )
    context.registry.make_model(package, like=serving.production.model)
    for stage in stages:
        _run(context, stage, settled, guard if stage.guarded else None)
    context.operator.say(NEXT)


def plan(production: Variant, package: Package, settled: str) -> Iterator[Stage]:
    """Yield the changes from the model in production to the version alone.

    Args:
        production: What serves now.
        package: What is to serve.
        settled: The configuration to go back to.
    """
    name, others = package.model, production.model

    def stage(what: str, *variants: Variant, guarded: bool) -> Stage:
        config = config_name(f"v{package.version}-{what}")
        return Stage(Deployment(config, variants, before=settled), guarded)

    for percent in (0, *SHARES):
        yield stage(
            f"canary-{percent}",
            Variant(PRODUCTION_VARIANT, others, 100 - percent),
            Variant(CANDIDATE_VARIANT, name, percent),
            guarded=percent > 0,
        )
    yield stage(
        "canary-100",
        Variant(PRODUCTION_VARIANT, name, 100),
        Variant(CANDIDATE_VARIANT, name, 0),
        guarded=True,
    )
    yield stage("production", Variant(PRODUCTION_VARIANT, name), guarded=False)


def _run(context: Context, stage: Stage, settled: str, guard: Guard | None) -> None:
    began = datetime.now(UTC)
    try:
        serve(context, stage.deployment, settled, guard)
        if guard is not None:
            _prove(context, stage, began)
    except RolledBackError as error:
        # SageMaker went back by one stage, in which the candidate may still have its share.
        if context.endpoint.now().config != settled:
            go_to(context, settled, None)
        raise RolledBackError(error.why, settled) from error


def _prove(context: Context, stage: Stage, began: datetime) -> None:
    """Hold a stage that no alarm stopped to having been tried at all: silence proves nothing."""
    for line in hurt(context, began):
        context.operator.say(line)
    tried = [v.name for v in stage.deployment.variants if v.weight]
    asked = [context.measurements.measured(name, began, datetime.now(UTC)) for name in tried]
    least = min(asked, key=lambda measured: measured.requests)
    states = context.measurements.alarms(guard_of(tried, 0).alarms)
    if reasons := list(gates.canary(least, states, context.limits)):
        raise RolledBackError("; ".join(reasons), stage.deployment.config)


def _reasons(serving: Deployment, package: Package) -> Iterator[str]:
    if len(serving.variants) > 1:
        yield f"endpoint: a canary is under way ({serving}); roll it back first"
    if package.model == serving.production.model:
        yield f"registry: version {package.version} is in production already"
    if package.status != APPROVED:
        yield (
            f"registry: version {package.version} is {package.status}, not {APPROVED}; "
            "run shadow and compare"
        )
    elif package.compared_with != serving.production.model:
        yield (
            f"registry: version {package.version} was compared with "
            f"{package.compared_with or 'nothing'!r}, but {serving.production.model!r} is in "
            "production; run shadow and compare again"
        )


def _watched(stage: Stage, bake_s: int) -> str:
    return f", watched for {bake_s} s" if stage.guarded else ""
