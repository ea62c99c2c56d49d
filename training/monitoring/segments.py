"""The parts of a day that are looked at by themselves."""

from collections.abc import Iterator

import h3
import numpy as np
import numpy.typing as npt
import pandas as pd

from feature_repo.schema import ServiceType

ALL, UNKNOWN = "all", "unknown"
_AREA_RESOLUTION = 4
"""H3 cells of about 1,800 km2: a metro is two or three."""
_HOURS = 6
Mask = npt.NDArray[np.bool_]


def labels(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each row's segments: columns ``service``, ``region``, ``area``, ``hour`` (text).

    Args:
        rows: With ``provider_id``, ``cell`` and the model's features.
    """
    services = np.array([*(service.value for service in ServiceType), UNKNOWN], dtype=object)
    codes = rows["request_time__service_code"].fillna(len(ServiceType)).to_numpy(dtype=int)
    cells = rows["cell"].map({cell: _area(cell) for cell in rows["cell"].unique()})
    start = (rows["request_time__hour_of_day"].fillna(24) // _HOURS * _HOURS).astype(int)
    return pd.DataFrame(
        {
            "service": services[codes],
            "region": rows["provider_id"].str.partition("-")[0],
            "area": cells,
            "hour": start.map(lambda hour: f"{hour:02d}-{hour + _HOURS:02d}"),
        },
        index=rows.index,
    )


def masks(served: pd.DataFrame, reference: pd.DataFrame) -> Iterator[tuple[str, Mask, Mask]]:
    """Yield each segment's name and its rows in both frames; first all of them.

    A segment that only one of the frames has is left out: there is nothing to compare.
    """
    yield ALL, np.ones(len(served), dtype=np.bool_), np.ones(len(reference), dtype=np.bool_)
    ours, theirs = labels(served), labels(reference)
    for kind in ours:
        for name in sorted(set(ours[kind]) & set(theirs[kind])):
            yield (
                f"{kind}={name}",
                (ours[kind] == name).to_numpy(),
                (theirs[kind] == name).to_numpy(),
            )


def decisions(rows: pd.DataFrame) -> int:
    """Return how many decisions the rows are of."""
    return int(rows["event_id"].nunique())


def _area(cell: str) -> str:
    return h3.cell_to_parent(cell, _AREA_RESOLUTION) if h3.is_valid_cell(cell) else UNKNOWN
