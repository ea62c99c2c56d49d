import numpy as np

from scoring.gateway.last_positions import RADIUS_KM, LastPositions
from scoring.gateway.messages import Location

DENVER = Location(39.7392, -104.9903)
KM_A_DEGREE = 111.2


def _north(positions: LastPositions, **km: float) -> None:
    lat = np.array([DENVER.lat + north / KM_A_DEGREE for north in km.values()])
    positions.remember(list(km), lat, np.full(len(km), DENVER.lon))


def test_the_nearest_come_first_and_those_too_far_not_at_all() -> None:
    """The order and the radius are those of the geo index."""
    positions = LastPositions()
    _north(positions, far=90.0, near=1.0, beyond=RADIUS_KM + 2, middle=-40.0)
    assert positions.near(DENVER, 10) == ["near", "middle", "far"]
    assert positions.near(DENVER, 2) == ["near", "middle"]


def test_a_newer_position_replaces_the_older() -> None:
    """A provider is in one place."""
    positions = LastPositions()
    _north(positions, a=1.0, b=2.0)
    _north(positions, a=3.0)
    assert positions.near(DENVER, 10) == ["b", "a"]


def test_who_has_no_position_is_not_near() -> None:
    """Unknown is not here."""
    positions = LastPositions()
    positions.remember(["a"], np.array([np.nan]), np.array([np.nan]))
    assert positions.near(DENVER, 10) == []


def test_the_table_is_bounded_and_forgets_who_was_known_for_longest() -> None:
    """A new provider takes the place of the oldest; nobody is there twice."""
    positions = LastPositions(at_most=3)
    for number in range(5):
        _north(positions, **{f"p{number}": float(number)})
    assert positions.near(DENVER, 10) == ["p2", "p3", "p4"]
    _north(positions, p0=0.5)
    assert positions.near(DENVER, 10) == ["p0", "p3", "p4"]


def test_longitude_counts_too() -> None:
    """East is as far as north, where a degree is shorter."""
    positions = LastPositions()
    positions.remember(["east"], np.array([DENVER.lat]), np.array([DENVER.lon + 1.0]))
    _north(positions, north=90.0)
    assert positions.near(DENVER, 10) == ["east", "north"]
