from pathlib import Path

import pytest

from deploy import sizing

PAGE = Path(__file__).parents[2] / "docs" / "infrastructure.md"


def test_all_zones_but_one_carry_the_rate() -> None:
    """The units that are left without a zone stay below the target, and fewer would not."""
    unit = sizing.Unit("any", cores=2)
    count = sizing.units(cpu_ms=8, unit=unit, decisions_per_s=1200)
    for units, holds in ((count - count // 3, True), (count - count // 3 - 2, False)):
        busy = sizing.utilisation(8, unit, units, 1200)
        assert (busy <= sizing.TARGET_UTILISATION) is holds


def test_one_zone_is_no_redundancy() -> None:
    """A single zone leaves nothing when it is lost, and is refused."""
    with pytest.raises(ValueError, match="zones is 1: nothing is left"):
        sizing.units(1, sizing.GATEWAY_TASK, zones=1)


def test_what_autoscaling_holds_leaves_a_zone_to_spare() -> None:
    """At the steady utilisation, the load of three zones on two of them is the target."""
    assert sizing.steady_utilisation() * 3 / 2 == pytest.approx(sizing.TARGET_UTILISATION)


def test_concurrency_is_rate_times_time() -> None:
    """A hundred decisions a second of 20 ms each are two at a time."""
    assert sizing.concurrency(100, 20) == 2
    assert sizing.decisions_per_s_a_unit(8, sizing.Unit("any", 2), 0.5) == 125


def test_the_page_has_the_table() -> None:
    """What docs/infrastructure.md says of sizes is what the stacks are made with."""
    assert sizing.table() in PAGE.read_text(), "python -c 'from deploy.sizing import table; ...'"
