"""One change of what the endpoint serves: begun, watched, verified, and undone if it must be."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from deploy.names import CANDIDATE_VARIANT, ENDPOINT, PRODUCTION_VARIANT, guardrail_alarms
from deploy.promotion.context import Context
from deploy.promotion.endpoint import IN_SERVICE, ROLLING_BACK, Deployment, Guard, Now
from deploy.promotion.evidence import Measured
from deploy.promotion.failures import RolledBackError

INTERRUPTED = "interrupted by the operator"
NEXT = "next: python -m deploy.sagemaker.incumbent, for retraining and for the gateway's own copy"


def config_name(what: str, now: datetime | None = None) -> str:
    """Return a name for a new endpoint configuration that no other has."""
    return f"{ENDPOINT}-{what}-{now or datetime.now(UTC):%Y%m%d%H%M%S}"


def guard_of(variants: Sequence[str], bake_s: int) -> Guard:
    """Return a guard by the alarms of some variants."""
    return Guard([name for variant in variants for name in guardrail_alarms(variant)], bake_s)


def serve(context: Context, deployment: Deployment, like: str, guard: Guard | None) -> None:
    """Make a deployment's configuration and bring the endpoint to it.

    Args:
        context: The services, the person and the limits.
        deployment: What is to be served.
        like: The configuration whose instances, keys and network the new one has.
        guard: What rolls it back by itself.

    Raises:
        RolledBackError: It serves something else now: what it served before.
    """
    context.endpoint.make(deployment, like)
    go_to(context, deployment.config, guard)


def go_to(context: Context, config: str, guard: Guard | None) -> None:
    """Bring the endpoint to a configuration that there is; otherwise as ``serve``."""
    former, began = context.endpoint.now().config, datetime.now(UTC)
    context.endpoint.update(config, guard)
    try:
        now = context.endpoint.wait(_teller(context, guard))
    except KeyboardInterrupt:
        if guard is None:
            raise
        context.operator.say("interrupted: rolling back; interrupt again to leave it to SageMaker")
        abort(context, guard)
        if context.endpoint.now().config != former:  # it was over before it could be called off
            go_to(context, former, None)
        raise RolledBackError(INTERRUPTED, former) from None
    if now.config == config and now.status == IN_SERVICE:
        context.operator.say(f"done: {context.endpoint.described(config)}")
        return
    for line in hurt(context, began):
        context.operator.say(line)
    raise RolledBackError(now.failure or now.status, now.config)


def abort(context: Context, guard: Guard) -> None:
    """Have a guarded change rolled back: it cannot be called off, but an alarm ends it."""

    def trip(now: Now) -> None:
        if now.status != ROLLING_BACK:
            # Each time: meanwhile the alarm is evaluated, and may be OK again before it is seen.
            context.measurements.trip(guard.alarms[0], INTERRUPTED)

    context.endpoint.wait(trip)


def _teller(context: Context, guard: Guard | None) -> Callable[[Now], None]:
    """Return what tells the operator how a change goes, once for each news."""
    told: list[str] = []

    def tell(now: Now) -> None:
        states = {} if guard is None else context.measurements.alarms(guard.alarms)
        ringing = [f", {name} is in ALARM" for name, state in states.items() if state == "ALARM"]
        line = f"{now.status}{''.join(ringing)}"
        if told[-1:] != [line]:
            told.append(line)
            context.operator.say(f"{datetime.now(UTC):%H:%M:%S} {line}")

    return tell


def hurt(context: Context, since: datetime) -> list[str]:
    """Return whom the candidate has answered since then, as sentences."""
    until = datetime.now(UTC)
    asked = {
        variant: context.measurements.measured(variant, since, until)
        for variant in (PRODUCTION_VARIANT, CANDIDATE_VARIANT)
    }
    every = sum(measured.requests for measured in asked.values())
    return [_sentence(name, measured, every) for name, measured in asked.items()]


def _sentence(variant: str, measured: Measured, every: int) -> str:
    share = measured.requests / every if every else 0.0
    return (
        f"{variant}: {measured.requests} of {every} requests ({share:.1%}), "
        f"{measured.errors} answered with 5xx, p99 {measured.p99_ms:.0f} ms"
    )
