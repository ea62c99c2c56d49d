"""Says where the promotion stands."""

from deploy.names import CANDIDATE_VARIANT, ENDPOINT, PRODUCTION_VARIANT
from deploy.promotion.change import guard_of
from deploy.promotion.context import Context


def status(context: Context) -> None:
    """Tell what is served, what the alarms say, and what is in the registry."""
    now = context.endpoint.now()
    deployment = context.endpoint.described(now.config)
    context.operator.say(
        f"{ENDPOINT} is {now.status} since {now.since:%Y-%m-%d %H:%M:%S %Z} {now.failure}"
    )
    context.operator.say(f"serves {deployment}; before it {deployment.before or 'nothing known'}")
    needed = guard_of([PRODUCTION_VARIANT, CANDIDATE_VARIANT], 0).alarms
    states = context.measurements.alarms(needed)
    for name in needed:
        context.operator.say(f"alarm {name}: {states.get(name, 'MISSING')}")
    for package in context.registry.packages():
        beside = f", compared with {package.compared_with}" if package.compared_with else ""
        context.operator.say(f"version {package.version}: {package.status}{beside}")
