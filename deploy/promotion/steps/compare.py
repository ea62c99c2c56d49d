"""Compares the shadow with production; if every gate passes, the version may serve."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from deploy.names import PRODUCTION_VARIANT, SHADOW_VARIANT
from deploy.promotion import captured, gates, monitoring, parity
from deploy.promotion.captured import CaptureError
from deploy.promotion.context import Context
from deploy.promotion.endpoint import Deployment, captured_below
from deploy.promotion.evidence import Measured
from deploy.promotion.failures import RefusedError, refuse_for
from deploy.promotion.operator import Plan
from deploy.promotion.parity import Parity
from deploy.promotion.registry import Package
from deploy.promotion.steps.shadow import offline_reasons

FILES_AT_MOST = 200
"""Of captures, the newest ones of each variant: SageMaker writes some a minute and instance."""


def compare(context: Context, report: Path) -> None:
    """Show the shadow beside production, and approve its version if no gate objects.

    Args:
        context: The services, the person and the limits.
        report: The directory of the daily job's report.

    Raises:
        RefusedError: There is no shadow, or a gate fails.
    """
    serving = context.endpoint.serving()
    if serving.shadow is None:
        raise RefusedError(f"endpoint: no version is in shadow ({serving})")
    package = _in_shadow(context, serving)
    since, until = context.endpoint.now().since, datetime.now(UTC)
    found = parity.compare(_pairs(context, serving, since))
    production, shadow = (
        context.measurements.measured(variant, since, until)
        for variant in (PRODUCTION_VARIANT, SHADOW_VARIANT)
    )
    for line in table(production, shadow, found):
        context.operator.say(line)
    refuse_for(
        [
            *offline_reasons(context, package),
            *gates.skew(monitoring.read(report), until, context.limits),
            *gates.latency(production, shadow, context.limits),
            *gates.parity(found, context.limits),
        ]
    )
    beside = serving.production.model
    context.operator.agree(
        Plan(
            [f"approve version {package.version}, as compared with {beside}"],
            f"python -m deploy.promotion reject --version {package.version}",
        )
    )
    context.registry.approve(package, beside, f"Every gate passed beside {beside}; {found}"[:1024])
    context.operator.say(
        f"done: version {package.version} is {context.registry.package(package.version).status}"
    )


def table(production: Measured, shadow: Measured, found: Parity) -> Iterator[str]:
    """Yield the comparison as lines."""
    yield f"{'':24}{'production':>12}{'shadow':>12}"
    for name, ours, theirs in (
        ("requests", production.requests, shadow.requests),
        ("5xx", production.errors, shadow.errors),
        ("p50 ms", production.p50_ms, shadow.p50_ms),
        ("p99 ms", production.p99_ms, shadow.p99_ms),
    ):
        yield f"{name:24}{ours:12.4g}{theirs:12.4g}"
    yield f"{found.pairs} requests answered by both, {found.invalid} of the shadow invalid:"
    yield f"  same first {found.same_first:.1%}, rank correlation {found.rank_correlation:.3f}"
    yield f"  chance of success: {found.chance_lost:.4f} lost if production is right"
    yield f"  minutes differ by {found.eta_shift_min:.2f}, chance by {found.chance_shift:+.4f}"


def _in_shadow(context: Context, serving: Deployment) -> Package:
    assert serving.shadow is not None
    for package in context.registry.packages():
        if package.model == serving.shadow.model:
            return package
    raise RefusedError(f"registry: no version is served by model {serving.shadow.model!r}")


def _pairs(context: Context, serving: Deployment, since: datetime) -> list[tuple[bytes, bytes]]:
    try:
        return captured.pairs(
            *(
                _answers(context, serving, since, name)
                for name in (PRODUCTION_VARIANT, SHADOW_VARIANT)
            )
        )
    except CaptureError as error:
        raise RefusedError(f"parity: {error}") from error


def _answers(
    context: Context, serving: Deployment, since: datetime, variant: str
) -> Iterator[tuple[str, bytes]]:
    files = context.storage.below(captured_below(serving, variant), since)
    for file in islice(files, FILES_AT_MOST):
        yield from captured.answers(file)
