"""Values in another unit than their feature's name says."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_TOLERANCE = 1e-3
_LEAST_VALUES = 20


@dataclass(frozen=True)
class Unit:
    """A unit that a value may come in by mistake: value = right value * scale + offset."""

    name: str
    scale: float
    offset: float = 0.0

    def of(self, right: Floats) -> Floats:
        """Return the right values as they would come in this unit."""
        return right * self.scale + self.offset

    def undone(self, values: Floats) -> Floats:
        """Return values of this unit in the right one."""
        return (values - self.offset) / self.scale


_KM_PER_MILE, _KM_PER_NAUTICAL_MILE, _MM_PER_INCH = 1.609344, 1.852, 25.4
_MISTAKEN: dict[str, tuple[Unit, ...]] = {
    "_kph": (
        Unit("m/s", 1 / 3.6),
        Unit("mph", 1 / _KM_PER_MILE),
        Unit("knots", 1 / _KM_PER_NAUTICAL_MILE),
    ),
    "_km": (Unit("miles", 1 / _KM_PER_MILE), Unit("metres", 1000.0)),
    "_mm_h": (Unit("inches/h", 1 / _MM_PER_INCH),),
    "_cm": (Unit("inches", 10 / _MM_PER_INCH), Unit("mm", 10.0), Unit("m", 0.01)),
    "_c": (Unit("degrees F", 1.8, 32.0), Unit("kelvin", 1.0, 273.15)),
    "_min": (Unit("seconds", 60.0), Unit("hours", 1 / 60)),
    "_s": (Unit("milliseconds", 1000.0), Unit("minutes", 1 / 60)),
}


def mistaken(feature: str) -> tuple[Unit, ...]:
    """Return the units that a feature's values could be in by mistake."""
    for suffix, units in _MISTAKEN.items():
        if feature.endswith(suffix) or f"{suffix}_" in feature.split("__", 1)[-1]:
            return units
    return ()


def explains(feature: str, served: Floats, right: Floats) -> Unit | None:
    """Return the unit in which ``served`` is ``right``, value by value; None if there is none."""
    telling = np.isfinite(served) & np.isfinite(right) & (served != right)
    if telling.sum() < _LEAST_VALUES:
        return None
    for unit in mistaken(feature):
        expected = unit.of(right[telling])
        if np.mean(np.isclose(served[telling], expected, rtol=_TOLERANCE)) > 0.95:
            return unit
    return None
