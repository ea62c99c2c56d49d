"""What the plots say besides their bars."""

from pathlib import Path

import matplotlib
import numpy as np

from training.switchback import plots
from training.switchback.analysis import Effect

FOUND = Effect(0.03, 0.01, 0.05, 0.01, control=0.5, treatment=0.53)
NOT_FOUND = Effect(0.03, -np.inf, np.inf, 0.5, control=0.5, treatment=0.53)


def _drawn(path: Path, effects: dict[str, Effect]) -> str:
    with matplotlib.rc_context({"svg.fonttype": "none"}):
        plots.effects(effects, [], 0.95, path)
    return path.read_text()


def test_an_interval_without_ends_is_told(tmp_path: Path) -> None:
    """Where an interval has no ends the panel says so, and only there."""
    path = tmp_path / "effects.svg"
    assert plots.NO_ENDS not in _drawn(path, {"success": FOUND})
    both = _drawn(path, {"success": FOUND, "redispatch": NOT_FOUND})
    assert both.count(plots.NO_ENDS) == 1
