"""The metropolitan areas of the world: where their centres are and how many people live there."""

from dataclasses import dataclass

import numpy as np

_TYPICAL_POPULATION = 2_964_000
_TYPICAL_RINGS = 6
_FEWEST_RINGS, _MOST_RINGS = 5, 12


@dataclass(frozen=True)
class Metro:
    """A metropolitan area.

    Attributes:
        name: Short and unique; part of provider ids.
        lat: Of the centre, degrees.
        lon: Of the centre, degrees.
        population: Residents, thousands (US census of 2020, rounded).
    """

    name: str
    lat: float
    lon: float
    population: int

    @property
    def rings(self) -> int:
        """How many rings of H3 cells it has round its centre: its area grows with its people."""
        share = 1000 * self.population / _TYPICAL_POPULATION
        rings = round(_TYPICAL_RINGS * float(np.sqrt(share)))
        return min(max(rings, _FEWEST_RINGS), _MOST_RINGS)


METROS: tuple[Metro, ...] = (
    Metro("den", 39.7392, -104.9903, 2964),
    Metro("nyc", 40.7128, -74.0060, 20140),
    Metro("lax", 34.0522, -118.2437, 13201),
    Metro("chi", 41.8781, -87.6298, 9618),
    Metro("dfw", 32.7767, -96.7970, 7637),
    Metro("hou", 29.7604, -95.3698, 7122),
    Metro("dca", 38.9072, -77.0369, 6385),
    Metro("phl", 39.9526, -75.1652, 6245),
    Metro("mia", 25.7617, -80.1918, 6138),
    Metro("atl", 33.7490, -84.3880, 6090),
    Metro("bos", 42.3601, -71.0589, 4942),
    Metro("pho", 33.4484, -112.0740, 4846),
    Metro("sfo", 37.7749, -122.4194, 4749),
    Metro("riv", 33.9806, -117.3755, 4600),
    Metro("det", 42.3314, -83.0458, 4392),
    Metro("sea", 47.6062, -122.3321, 4019),
    Metro("msp", 44.9778, -93.2650, 3690),
    Metro("san", 32.7157, -117.1611, 3299),
    Metro("tpa", 27.9506, -82.4572, 3175),
    Metro("bal", 39.2904, -76.6122, 2844),
    Metro("stl", 38.6270, -90.1994, 2820),
    Metro("mco", 28.5383, -81.3792, 2673),
    Metro("clt", 35.2271, -80.8431, 2660),
    Metro("sat", 29.4241, -98.4936, 2558),
    Metro("pdx", 45.5152, -122.6784, 2513),
    Metro("smf", 38.5816, -121.4944, 2397),
    Metro("pit", 40.4406, -79.9959, 2371),
    Metro("aus", 30.2672, -97.7431, 2283),
    Metro("las", 36.1699, -115.1398, 2265),
    Metro("cvg", 39.1031, -84.5120, 2257),
    Metro("mci", 39.0997, -94.5786, 2192),
    Metro("cmh", 39.9612, -82.9988, 2139),
    Metro("ind", 39.7684, -86.1581, 2111),
    Metro("cle", 41.4993, -81.6944, 2088),
    Metro("sjc", 37.3382, -121.8863, 2000),
    Metro("bna", 36.1627, -86.7816, 1990),
    Metro("orf", 36.8508, -76.2859, 1800),
    Metro("pvd", 41.8240, -71.4128, 1677),
    Metro("jax", 30.3322, -81.6557, 1606),
    Metro("mke", 43.0389, -87.9065, 1575),
    Metro("okc", 35.4676, -97.5164, 1426),
    Metro("rdu", 35.7796, -78.6382, 1414),
    Metro("mem", 35.1495, -90.0490, 1338),
    Metro("ric", 37.5407, -77.4360, 1314),
    Metro("msy", 29.9511, -90.0715, 1272),
    Metro("slc", 40.7608, -111.8910, 1258),
)
"""Denver first, as the local stack plays one; then by population."""


def providers_of(count: int, metros: tuple[Metro, ...]) -> tuple[int, ...]:
    """Return how many of ``count`` providers each metro has, by population; at least one.

    Raises:
        ValueError: There are fewer providers than metros.
    """
    if count < len(metros):
        raise ValueError(
            f"{count} providers for {len(metros)} metros: give at least one provider a metro"
        )
    people = np.array([metro.population for metro in metros])
    spare = count - len(metros)
    # the largest remainders get what rounding down leaves
    exact = spare * people / people.sum()
    shares = np.floor(exact).astype(np.int64)
    left = np.argsort(shares - exact, kind="stable")[: spare - int(shares.sum())]
    shares[left] += 1
    return tuple(int(share) + 1 for share in shares)
