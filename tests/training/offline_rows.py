"""Offline rows of the stream views for tests of training, where no Flink runs.

A simple stand-in for the jobs: newest values and plain rolling counts from an archive's events,
with the names and types of ``schema.py``. It is no second definition of the windows and nothing
outside these tests may use it.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from feature_repo.schema import (
    CELL_CONDITIONS,
    CELL_DEMAND,
    PROVIDER_AVAILABILITY,
    PROVIDER_MOTION,
    Kind,
    ViewSchema,
)

_PANDAS_TYPES = {
    Kind.FLOAT32: "float32",
    Kind.FLOAT64: "float64",
    Kind.INT32: "int32",
    Kind.BOOL: "bool",
    Kind.STRING: "object",
    Kind.TIMESTAMP: "datetime64[us, UTC]",
}


def write_stream_views(data: Path) -> None:
    """Write ``offline/<view>/date=.../rows.parquet`` for the four stream views of an archive."""
    dispatch = _events(data, "dispatch-events")
    tables = {
        PROVIDER_MOTION: _motion(_events(data, "provider-gps")),
        PROVIDER_AVAILABILITY: _availability(_events(data, "provider-availability"), dispatch),
        CELL_CONDITIONS: _conditions(_events(data, "weather"), _events(data, "traffic")),
        CELL_DEMAND: _demand(dispatch),
    }
    for schema, rows in tables.items():
        _write(schema, rows, data / "offline")


def _events(data: Path, stream: str) -> pd.DataFrame:
    lines: list[dict[str, object]] = []
    for path in sorted((data / "events" / stream).glob("*.jsonl")):
        archived = [json.loads(line) for line in path.read_text().splitlines()]
        lines += [json.loads(record["record_text"]) for record in archived]
    frame = pd.DataFrame(lines)
    frame["event_timestamp"] = pd.to_datetime(frame["ts"], unit="ms", utc=True)
    return frame.sort_values("ts", kind="stable").reset_index(drop=True)


def _motion(gps: pd.DataFrame) -> pd.DataFrame:
    moving = (gps["speed_kph"] > 5).astype(float)
    before = gps.groupby("provider_id")["speed_kph"].shift().fillna(gps["speed_kph"])
    return gps.assign(
        motion_observed_at=gps["event_timestamp"],
        speed_mean_kph=(gps["speed_kph"] + before) / 2,
        speed_max_kph=np.maximum(gps["speed_kph"], before),
        distance_km=before / 60,
        ping_count=2,
        moving_share=moving,
        h3_cell="",
    )


def _availability(reports: pd.DataFrame, dispatch: pd.DataFrame) -> pd.DataFrame:
    by_provider = reports.groupby("provider_id")["status"]
    began = reports["event_timestamp"].where(by_provider.shift() != reports["status"])
    rows = reports.assign(
        availability_observed_at=reports["event_timestamp"],
        status_reported_at=reports["event_timestamp"],
        free_capacity=(reports["capacity"] - reports["active_jobs"]).clip(lower=0),
        status_since=began.groupby(reports["provider_id"]).ffill(),
        shift_end=pd.to_datetime(reports["shift_end_ts"], unit="ms", utc=True),
    )
    for kind in ("offer", "accept", "decline"):
        of_kind = dispatch[dispatch["kind"] == kind]
        times = of_kind.groupby("provider_id")["ts"].apply(np.sort).to_dict()
        for name, minutes in (("30m", 30), ("1h", 60)):
            rows[f"{kind}s_{name}"] = _counts_before(rows, "provider_id", times, minutes)
    return rows


def _conditions(weather: pd.DataFrame, traffic: pd.DataFrame) -> pd.DataFrame:
    joined = pd.merge_asof(
        weather, traffic.drop(columns="event_timestamp"), on="ts", by="cell", direction="backward"
    ).dropna(subset=["speed_ratio"])
    return joined.assign(
        conditions_observed_at=joined["event_timestamp"],
        speed_ratio_mean=joined["speed_ratio"],
        speed_ratio_trend=joined.groupby("cell")["speed_ratio"].diff().fillna(0.0),
    )


def _demand(dispatch: pd.DataFrame) -> pd.DataFrame:
    rows = dispatch[dispatch["kind"].isin(["request", "complete", "cancel"])].copy()
    rows["demand_observed_at"] = rows["event_timestamp"]
    asked = rows[rows["kind"] == "request"].groupby("cell")["ts"].apply(np.array).to_dict()
    ended = rows[rows["kind"] != "request"].groupby("cell")["ts"].apply(np.array).to_dict()
    rows["requests_15m"] = _counts_before(rows, "cell", asked, 15)
    rows["requests_60m"] = _counts_before(rows, "cell", asked, 60)
    closed = _counts_before(rows, "cell", ended, 60)
    rows["open_requests"] = np.maximum(rows["requests_60m"] - closed, 0)
    return rows


def _counts_before(
    rows: pd.DataFrame, key: str, times: dict[str, np.ndarray], minutes: int
) -> np.ndarray:
    counts = np.zeros(len(rows), dtype=np.int32)
    stamps = rows["ts"].to_numpy()
    for name, positions in rows.groupby(key).indices.items():
        of_key = times.get(str(name), np.empty(0, dtype=np.int64))
        newest = stamps[positions]
        oldest = newest - minutes * 60_000
        counts[positions] = np.searchsorted(of_key, newest, "right") - np.searchsorted(
            of_key, oldest, "right"
        )
    return counts


def _write(schema: ViewSchema, rows: pd.DataFrame, offline: Path) -> None:
    kinds = {column.name: _PANDAS_TYPES[column.kind] for column in schema.columns}
    frame = rows[[*schema.join_keys, *schema.column_names, "event_timestamp"]].astype(kinds)
    frame["event_timestamp"] = frame["event_timestamp"].astype("datetime64[us, UTC]")
    frame["created_timestamp"] = frame["event_timestamp"] + pd.Timedelta(seconds=2)
    for day, of_day in frame.groupby(frame["event_timestamp"].dt.strftime("%Y-%m-%d")):
        folder = offline / schema.name / f"date={day}"
        folder.mkdir(parents=True, exist_ok=True)
        of_day.to_parquet(folder / "rows.parquet", index=False)
