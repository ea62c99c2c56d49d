"""Goes back to what served before a promotion, from wherever it stands."""

from deploy.names import CANDIDATE_VARIANT, PRODUCTION_VARIANT
from deploy.promotion.change import NEXT, abort, go_to, guard_of
from deploy.promotion.context import Context
from deploy.promotion.endpoint import CHANGING
from deploy.promotion.failures import RefusedError
from deploy.promotion.operator import Plan


def rollback(context: Context) -> None:
    """Serve the configuration before the promotion; a change under way is called off first.

    It is not guarded by alarms: they may ring already, and must not bar the way back.

    Raises:
        RefusedError: Nothing is known to have served before.
    """
    now = context.endpoint.now()
    if now.status in CHANGING:
        context.operator.say(f"the endpoint is {now.status}: having SageMaker roll it back")
        abort(context, guard_of([PRODUCTION_VARIANT, CANDIDATE_VARIANT], 0))
    serving = context.endpoint.serving()
    if not serving.before:
        raise RefusedError(f"endpoint: nothing is known to have served before {serving.config!r}")
    before = context.endpoint.described(serving.before)
    context.operator.agree(
        Plan(
            [f"stop serving {serving}", f"serve {before}"],
            "run shadow, compare and canary again",
        )
    )
    go_to(context, before.config, None)
    context.operator.say(NEXT)
