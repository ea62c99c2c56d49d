"""Randomness by key instead of by turn: the same question always gets the same draw.

What a provider would do for a request hangs on the seed, the request and the provider, not on
who else was a candidate or who was asked before. So a counterfactual has an answer, and two
policies that meet the same provider at the same request meet the same luck.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_MASK = (1 << 64) - 1
_STEP = 0x9E3779B97F4A7C15


def key_of(*parts: int | str) -> int:
    """Return 64 bits that depend on every part and on their order."""
    key = 0
    for part in parts:
        number = int.from_bytes(part.encode(), "big") if isinstance(part, str) else part
        key = _mixed_int((key + number + 1) * _STEP & _MASK)
    return key


def chance(key: int) -> float:
    """Return the one draw of a key, 0 to 1."""
    return (key >> 11) * 2.0**-53


def uniforms(key: int, index: Ints, count: int) -> Floats:
    """Return draws from the open interval 0 to 1, float64 [count, n].

    Args:
        key: From ``key_of``.
        index: What each column belongs to, int64 [n]: its draws do not depend on the other ones.
        count: Draws a column.
    """
    column = _mixed(np.uint64(key) ^ (index.astype(np.uint64) + np.uint64(1)) * np.uint64(_STEP))
    turn = np.arange(1, count + 1, dtype=np.uint64)[:, None] * np.uint64(_STEP)
    bits = _mixed(column + turn) >> np.uint64(11)
    return np.asarray((bits.astype(np.float64) + 0.5) * 2.0**-53)


def _mixed(bits: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return the finaliser of splitmix64 (Steele, Lea and Flood 2014) of each number."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def _mixed_int(bits: int) -> int:
    bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB & _MASK
    return bits ^ (bits >> 31)
