import numpy as np
import pytest

from feature_repo import request_time
from feature_repo.model_matrix import MODEL_FEATURES, STORED_FEATURES, model_matrix
from feature_repo.request_time import RequestColumns
from feature_repo.schema import VIEWS, Kind

NOW_US = 1_764_000_000_000_000.0  # Monday 2025-11-24 16:00 UTC


def _columns(rows: int = 1, **given: object) -> dict[str, np.ndarray]:
    columns = {}
    for name in STORED_FEATURES:
        view, feature = name.split("__", 1)
        kind = VIEWS[view].column(feature).kind
        default = b"available" if kind is Kind.STRING else NOW_US if kind is Kind.TIMESTAMP else 1.0
        columns[name] = np.array([given.get(name, default)] * rows)
    return columns


def _request(rows: int = 1) -> RequestColumns:
    def repeat(value: float) -> np.ndarray:
        return np.full(rows, value)

    return RequestColumns(
        request_us=repeat(NOW_US),
        lat=repeat(39.7392),
        lon=repeat(-104.9903),
        service_code=repeat(0),
        vehicle_class=repeat(1),
        promised_minutes=repeat(45),
        available_candidates=repeat(3),
    )


def _computed(**given: object) -> dict[str, float]:
    values = request_time.compute(_columns(**given), _request())
    return {name: float(value[0]) for name, value in values.items()}


def test_distance_and_eta_agree_with_a_hand_calculation() -> None:
    """Denver to Boulder is 39 km as the crow flies, an hour's drive in free flow."""
    values = _computed(
        provider_motion__lat=40.0150,
        provider_motion__lon=-105.2705,
        cell_conditions__speed_ratio_mean=1.0,
        cell_conditions__precip_mm_h=0.0,
        cell_conditions__snow_cm=0.0,
    )
    assert values["driver_distance_km"] == pytest.approx(38.8, abs=0.3)
    assert values["eta_min"] == pytest.approx(2.5 + 60 * 38.8 * 1.35 / 52, rel=0.01)


@pytest.mark.parametrize(
    "worse",
    [
        {"cell_conditions__speed_ratio_mean": 0.5},
        {"cell_conditions__precip_mm_h": 8.0},
        {"cell_conditions__snow_cm": 6.0},
    ],
)
def test_traffic_rain_and_snow_each_lengthen_the_drive(worse: dict[str, float]) -> None:
    """Slower traffic, rain or snow makes the ETA longer, other things equal."""
    fair = {
        "provider_motion__lat": 40.0,
        "provider_motion__lon": -105.0,
        "cell_conditions__speed_ratio_mean": 1.0,
        "cell_conditions__precip_mm_h": 0.0,
        "cell_conditions__snow_cm": 0.0,
    }
    assert _computed(**{**fair, **worse})["eta_min"] > _computed(**fair)["eta_min"] * 1.1


def test_the_bearing_is_measured_against_the_heading() -> None:
    """A truck south of the driver that heads north is 0 degrees off, one that heads south 180."""
    south = {"provider_motion__lat": 39.0, "provider_motion__lon": -104.9903}
    north = _computed(**south, provider_motion__heading_deg=0.0)["bearing_off_heading_deg"]
    away = _computed(**south, provider_motion__heading_deg=180.0)["bearing_off_heading_deg"]
    assert (round(north), round(away)) == (0, 180)


def test_hours_are_solar_and_days_begin_on_monday() -> None:
    """16:00 UTC at 105 degrees west is 9 in the morning, of a Monday."""
    values = _computed()
    assert values["hour_of_day"] == pytest.approx(9, abs=0.01)
    assert values["day_of_week"] == 0


def test_an_unknown_position_is_unknown_not_zero() -> None:
    """Without a position there is no distance and no ETA, rather than a distance of zero."""
    values = _computed(provider_motion__lat=np.nan)
    assert np.isnan(values["driver_distance_km"])
    assert np.isnan(values["eta_min"])


def test_stale_values_are_unknown_to_the_model_while_their_age_is_told() -> None:
    """Beyond a view's limit its values are NaN in the matrix, and the age still says why."""
    old = NOW_US - 121e6
    columns = _columns(provider_motion__motion_observed_at=old)
    matrix = model_matrix(columns, _request())

    def value(name: str) -> float:
        return float(matrix[0, MODEL_FEATURES.index(name)])

    assert np.isnan(value("provider_motion__speed_mean_kph"))
    assert np.isnan(value("request_time__driver_distance_km"))
    assert value("request_time__motion_age_s") == pytest.approx(121)
    assert value("provider_availability__free_capacity") == 1


def test_a_fresh_value_is_kept_up_to_the_limit() -> None:
    """At exactly the view's limit a value still counts."""
    columns = _columns(provider_motion__motion_observed_at=NOW_US - 120e6)
    matrix = model_matrix(columns, _request())
    assert matrix[0, MODEL_FEATURES.index("provider_motion__speed_mean_kph")] == 1


def test_a_row_gives_the_same_bits_alone_or_among_others() -> None:
    """Training computes many decisions at once, serving one: a row is the same, bit for bit."""
    given = {"provider_motion__lat": 39.9, "provider_motion__lon": -105.1}
    alone = model_matrix(_columns(**given), _request())
    among = model_matrix(_columns(37, **given), _request(37))
    assert all(row.tobytes() == alone[0].tobytes() for row in among)
