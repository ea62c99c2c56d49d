"""Each detector alone: what it finds when history has the fault too, and what it leaves alone."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from feature_repo.model_matrix import MODEL_FEATURES
from tests.training.monitoring import served_day
from tests.training.monitoring.served_day import Archive
from training.monitoring import (
    ages,
    availability,
    distributions,
    drift,
    feeds,
    reference,
    segments,
    skew,
    units,
)
from training.monitoring.findings import Finding, Kind, Severity
from training.monitoring.limits import Limits
from training.monitoring.reference import BundleReference
from training.monitoring.skew import Compared

LIMITS = Limits()
SPEED = "provider_motion__speed_mean_kph"


@pytest.fixture(scope="module")
def usual(bundle_directory: Path) -> BundleReference:
    """The bundle's reference."""
    return reference.load(bundle_directory)


@pytest.fixture(scope="module")
def shown(archive: Archive) -> pd.DataFrame:
    """What was shown on a clean day."""
    rows = archive.rows
    return rows[rows["rank"] <= served_day.SHOWN].reset_index(drop=True)


@pytest.mark.parametrize(("unit", "scale"), [("m/s", 1 / 3.6), ("mph", 1 / 1.609344)])
def test_a_unit_is_told_from_training_alone(
    archive: Archive, shown: pd.DataFrame, usual: BundleReference, unit: str, scale: float
) -> None:
    """A unit that changed at the source, and so in history too, is found and named."""
    faulty = served_day.speeds_in(scale)(shown, archive.store)
    found = _of(Kind.UNIT, drift.findings(drift.table(faulty, usual, LIMITS), LIMITS))
    whole = {f.feature for f in found if f.segment == "all"}
    assert whole == {SPEED, "provider_motion__speed_max_kph"}
    # a segment of a few dozen decisions cannot tell miles from knots
    assert all(unit in f.detail for f in found if f.segment == "all")
    assert _of(Kind.UNIT, drift.findings(drift.table(shown, usual, LIMITS), LIMITS)) == []


def test_a_feed_is_told_from_its_own_readings(
    archive: Archive, shown: pd.DataFrame, usual: BundleReference
) -> None:
    """A feed that is stuck at its source is found; the other feed of the same row is not."""
    repeats = usual.statistics.repeat_share
    stuck = served_day.stuck_weather(shown, archive.store)
    found = feeds.findings(feeds.table(stuck, repeats), LIMITS)
    assert {f.feature for f in found} == {"weather"}
    assert feeds.findings(feeds.table(shown, repeats), LIMITS) == []


def test_a_dry_day_is_no_stuck_feed(shown: pd.DataFrame, usual: BundleReference) -> None:
    """Rain and snow that stay at 0 all day are a day without rain."""
    dry = shown.assign(cell_conditions__precip_mm_h=0.0, cell_conditions__snow_cm=0.0)
    assert feeds.findings(feeds.table(dry, usual.statistics.repeat_share), LIMITS) == []


def test_everyone_available_is_told_by_segment(
    archive: Archive, shown: pd.DataFrame, usual: BundleReference
) -> None:
    """Statuses of one part that all become available are found, and the part is named."""
    faulty = served_day.everyone_available(shown, archive.store)
    tows = (segments.labels(shown)["service"] == "tow").to_numpy()
    mixed = shown.assign(
        request_time__is_available=np.where(
            tows, faulty["request_time__is_available"], shown["request_time__is_available"]
        )
    )
    named = {f.segment for f in _available(faulty, usual)}
    assert "all" in named
    # an area may have hardly any requests but tows
    parts = {f.segment for f in _available(mixed, usual) if f.segment.startswith("service=")}
    assert parts == {"service=tow"}
    assert _available(shown, usual) == []


def test_a_lag_is_told_from_ages_alone(
    archive: Archive, shown: pd.DataFrame, usual: BundleReference
) -> None:
    """Rows that are 5 minutes older than in training are late, in every stream view."""
    late = served_day.lag(5, ages_show_it=True)(shown, archive.store)
    found = _of(Kind.LAG, ages.findings(ages.table(late, usual.sample), LIMITS))
    assert {f.feature for f in found if f.segment == "all"} == set(ages.AGES)
    stopping = {f.feature for f in found if f.severity is Severity.STOP}
    assert "request_time__demand_age_s" not in stopping
    assert ages.findings(ages.table(shown, usual.sample), LIMITS) == []


def test_values_of_the_future_stop(shown: pd.DataFrame, usual: BundleReference) -> None:
    """A negative age is a value from after the decision."""
    ahead = shown.assign(request_time__motion_age_s=shown["request_time__motion_age_s"] - 600)
    found = _of(Kind.FUTURE, ages.findings(ages.table(ahead, usual.sample), LIMITS))
    assert {f.feature for f in found} == {"request_time__motion_age_s"}


def test_a_view_that_is_gone_is_missing(shown: pd.DataFrame, usual: BundleReference) -> None:
    """Features that become unknown stop; a quiet cell's demand is only told."""
    gone = shown.assign(**dict.fromkeys((SPEED, "cell_demand__requests_15m"), np.nan))
    found = _of(Kind.MISSING, drift.findings(drift.table(gone, usual, LIMITS), LIMITS))
    severities = {f.feature: f.severity for f in found}
    assert severities == {SPEED: Severity.STOP, "cell_demand__requests_15m": Severity.TELL}


def test_providers_left_out_are_counted() -> None:
    """A day on which statuses go stale leaves providers out, and that stops."""
    codes = ["availability_stale"] * 30 + ["offline"] * 30 + [None] * 40
    shares = ages.exclusions(pd.DataFrame({"excluded": codes}))
    (found,) = ages.exclusion_findings(shares, LIMITS)
    assert found.value == pytest.approx(0.3)
    assert ages.exclusion_findings(shares.rename({"availability_stale": "x"}), LIMITS) == []


def test_the_world_is_told_and_stops_nothing(shown: pd.DataFrame, usual: BundleReference) -> None:
    """A cold day is no fault; providers who are all elsewhere than in training may be one."""
    cold = shown.assign(cell_conditions__temp_c=shown["cell_conditions__temp_c"] - 25)
    far = shown.assign(
        request_time__driver_distance_km=shown["request_time__driver_distance_km"] * 4
    )
    moved = [drift.findings(drift.table(rows, usual, LIMITS), LIMITS) for rows in (cold, far)]
    kinds = [{(f.feature, f.severity) for f in _of(Kind.PSI, found)} for found in moved]
    assert ("cell_conditions__temp_c", Severity.TELL) in kinds[0]
    assert ("cell_conditions__temp_c", Severity.STOP) not in kinds[0]
    assert ("request_time__driver_distance_km", Severity.STOP) in kinds[1]


def test_psi_by_hand() -> None:
    """PSI of shares 1/2, 1/2 against 1/4, 3/4 is 1/4 ln 3."""
    reference_, served = np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.0, 1.0, 1.0, 1.0])
    found = distributions.psi(reference_, served, np.array([0.5]))
    assert found == pytest.approx(0.25 * np.log(3))
    assert distributions.psi(reference_, reference_, np.array([0.5])) == 0


def test_ks_is_scipys() -> None:
    """The distance is the one of scipy, ties included."""
    from scipy.stats import ks_2samp  # noqa: PLC0415 - only here

    rng = np.random.default_rng(3)
    ours, theirs = rng.integers(0, 9, 200).astype(float), rng.integers(2, 12, 90).astype(float)
    assert distributions.ks(theirs, ours) == pytest.approx(ks_2samp(ours, theirs).statistic)


def test_chance_alone_stays_below_its_bounds() -> None:
    """Of samples of one distribution, about as many exceed the 5 % bounds as should."""
    rng = np.random.default_rng(5)
    edges = np.linspace(0.1, 0.9, 9)
    exceeded = np.zeros(2)
    for _ in range(400):
        ours, theirs = rng.random(150), rng.random(300)
        exceeded += (
            distributions.psi(theirs, ours, edges)
            > distributions.psi_by_chance(10, 300, 150, 0.05),
            distributions.ks(theirs, ours) > distributions.ks_by_chance(300, 150, 0.05),
        )
    assert 0.02 < exceeded[0] / 400 < 0.09
    assert 0.01 < exceeded[1] / 400 < 0.07


def test_units_explain_only_what_they_convert() -> None:
    """Values that differ by a factor that is no unit's, or only sometimes, are no unit change."""
    right = np.arange(1.0, 101.0)
    fahrenheit = units.explains("cell_conditions__temp_c", right * 1.8 + 32, right)
    assert fahrenheit is not None
    assert fahrenheit.name == "degrees F"
    assert units.explains(SPEED, right * 0.5, right) is None
    assert units.explains(SPEED, np.where(right < 50, right / 3.6, right + 1), right) is None
    assert units.explains("request_time__surge_ratio", right / 3.6, right) is None


def test_skew_counts_unknown_on_one_side() -> None:
    """Unknown equals unknown and nothing else; the last bit counts."""
    index = list(MODEL_FEATURES).index(SPEED)
    served, right = np.zeros((4, len(MODEL_FEATURES))), np.zeros((4, len(MODEL_FEATURES)))
    served[:, index] = [np.nan, np.nan, 1.0, 50.0]
    right[:, index] = [np.nan, 2.0, np.nan, np.nextafter(np.float32(50), np.float32(51))]
    keys = pd.DataFrame({"event_id": list("abcd"), "provider_id": list("wxyz")})
    table = skew.table(Compared(keys, served, right)).set_index("feature")
    assert table.loc[SPEED, "equal_share"] == 0.25
    assert table.loc[SPEED, "only_history"] == table.loc[SPEED, "only_served"] == 1
    assert table.loc[SPEED, "largest_difference"] == pytest.approx(3.8e-6, rel=0.01)
    assert "b x: served nan, history 2" in str(table.loc[SPEED, "examples"])
    assert (table["equal_share"].drop(SPEED) == 1).all()


def _of(kind: Kind, found: list[Finding]) -> list[Finding]:
    return [f for f in found if f.kind is kind]


def _available(rows: pd.DataFrame, usual: BundleReference) -> list[Finding]:
    return availability.findings(availability.table(rows, usual.sample), LIMITS)
