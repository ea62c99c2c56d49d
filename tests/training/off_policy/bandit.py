"""A log of four decisions, small enough for pencil and paper.

    decision  candidate  propensity  new   prediction  chosen, reward   weight
    d1        A          0.50        0.80  0.7         yes, 1           0.80 / 0.50 = 1.6
              B          0.50        0.20  0.5
    d2        A          0.25        0.70  0.4
              B          0.75        0.30  0.2         yes, 0           0.30 / 0.75 = 0.4
    d3        A          0.20        0.10  0.5
              B          0.40        0.10  0.3
              C          0.40        0.80  0.6         yes, 1           0.80 / 0.40 = 2.0
    d4        A          0.50        0.50  0.4         yes, 0           0.50 / 0.50 = 1.0
              B          0.50        0.50  0.2

What the new policy would choose, by the prediction:
    d1 0.8 * 0.7 + 0.2 * 0.5              = 0.66
    d2 0.7 * 0.4 + 0.3 * 0.2              = 0.34
    d3 0.1 * 0.5 + 0.1 * 0.3 + 0.8 * 0.6  = 0.56
    d4 0.5 * 0.4 + 0.5 * 0.2              = 0.30
"""

import numpy as np
import pandas as pd

REWARD = np.array([1.0, 0.0, 1.0, 0.0])
WEIGHT = np.array([1.6, 0.4, 2.0, 1.0])
PREDICTED = np.array([0.7, 0.2, 0.6, 0.4])
EXPECTED = np.array([0.66, 0.34, 0.56, 0.30])


def table() -> pd.DataFrame:
    """Return the log as the command reads it; a second offer was made in d1 and d3."""
    rows = [
        ("d1", "A", 0.50, 0.80, 0.7, 1, 1.0),
        ("d1", "B", 0.50, 0.20, 0.5, 2, 1.0),
        ("d2", "A", 0.25, 0.70, 0.4, 0, np.nan),
        ("d2", "B", 0.75, 0.30, 0.2, 1, 0.0),
        ("d3", "A", 0.20, 0.10, 0.5, 2, 0.0),
        ("d3", "B", 0.40, 0.10, 0.3, 0, np.nan),
        ("d3", "C", 0.40, 0.80, 0.6, 1, 1.0),
        ("d4", "A", 0.50, 0.50, 0.4, 1, 0.0),
        ("d4", "B", 0.50, 0.50, 0.2, 0, np.nan),
    ]
    names = ["event_id", "provider_id", "propensity", "new", "prediction", "offer_rank", "success"]
    return pd.DataFrame(rows, columns=names)
