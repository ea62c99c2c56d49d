"""The batch tables: provider profiles, and each provider's record over 7, 30 and 90 days.

The record covers days before the archive of events begins, so it cannot be counted from events:
it is drawn from the hidden traits with the sampling noise that so many jobs would have. It tells
about the hidden traits what a real record would tell, no more; it does not contain the archive's
own jobs. The 7 days lie inside the 30, the 30 inside the 90.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from simulator.luck import Floats, key_of
from simulator.outcomes import (
    ROAD_DETOUR,
    SATISFACTION_ANSWER_SHARE,
    logistic,
    reliable_logit,
    satisfaction_base,
    willing_logit,
)
from simulator.providers import SERVICE_SHARES, SERVICES, Providers

ONE_DAY = timedelta(days=1)
HISTORY_DAYS = (7, 30, 90)
_RECORD_SEED = 30
_OFFERS_PER_DAY = 4.0
_TYPICAL_ROAD_KM = 4.5 * ROAD_DETOUR
_TYPICAL_KPH = 34.0
_TYPICAL_PROMISE_MIN = 24.0
_ETA_SPREAD_MIN = 8.0
_PUBLISHED_AFTER = timedelta(hours=1)
"""The nightly job is done an hour after midnight."""
_PROFILE_AGE = timedelta(days=30)


def write_profiles(providers: Providers, directory: Path, first_day: datetime, metro: str) -> Path:
    """Write ``provider_profile`` as it stood well before ``first_day``; return the metro's file."""
    event = first_day - _PROFILE_AGE
    frame = pd.DataFrame(
        {
            "provider_id": list(providers.ids),
            "base_lat": np.round(providers.base_lat, 6),
            "base_lon": np.round(providers.base_lon, 6),
            "radius_km": providers.radius_km.astype(np.float32),
            "contract_tier": providers.contract_tier.astype(np.int32),
            "cost_per_job_usd": providers.cost_per_job_usd.astype(np.float32),
            "max_vehicle_class": providers.max_vehicle_class.astype(np.int32),
            **{f"can_{name}": providers.offers[:, i] for i, name in enumerate(SERVICES)},
        }
    )
    return _write(frame, event, directory / "provider_profile" / f"{metro}.parquet")


def write_records(
    providers: Providers,
    directory: Path,
    first_day: datetime,
    last_day: datetime,
    key: tuple[int, str],
) -> list[Path]:
    """Write ``provider_history`` for each day, both ends included; return the metro's files.

    Args:
        providers: Of one metro.
        directory: Of the offline rows.
        first_day: Midnight.
        last_day: Midnight.
        key: The world's seed and the metro's name: the same ones give the same records.
    """
    paths = []
    day = first_day
    while day <= last_day:
        rng = np.random.default_rng(key_of(*key, _RECORD_SEED, day.toordinal()))
        frame = pd.concat(
            [_record(providers, service, rng) for service in range(len(SERVICES))],
            ignore_index=True,
        )
        folder = directory / "provider_history" / f"date={day:%Y-%m-%d}"
        paths.append(_write(frame, day, folder / f"{key[1]}.parquet"))
        day += ONE_DAY
    return paths


def midnight(time_s: float) -> datetime:
    """Return the midnight, UTC, before an epoch time in seconds."""
    moment = datetime.fromtimestamp(time_s, UTC)
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _record(providers: Providers, service: int, rng: np.random.Generator) -> pd.DataFrame:
    who = np.flatnonzero(providers.offers[:, service])
    hidden = providers.hidden
    drive_min = 60 * _TYPICAL_ROAD_KM / (_TYPICAL_KPH * hidden.pace[who])
    accept = logistic(willing_logit(providers, service, drive_min, who))
    complete = logistic(reliable_logit(providers, service, drive_min, who))
    late_min = 0.5 + hidden.mobilise_min[who] + drive_min - _TYPICAL_PROMISE_MIN
    score = np.clip(
        satisfaction_base(providers, service, who) - 0.07 * np.maximum(late_min, 0), 1.2, 4.8
    )
    per_day = _OFFERS_PER_DAY * providers.volume[who] * SERVICE_SHARES[service]
    columns: dict[str, Floats] = {}
    offers = jobs = done = np.zeros(len(who), dtype=np.int64)
    before = 0
    for days in HISTORY_DAYS:
        more_offers = rng.poisson(per_day * (days - before))
        more_jobs = rng.binomial(more_offers, accept)
        offers, jobs = offers + more_offers, jobs + more_jobs
        done = done + rng.binomial(more_jobs, complete)
        before = days
        error = rng.normal(size=(3, len(who))) * _over_root(jobs)
        answers = _over_root(done * SATISFACTION_ANSWER_SHARE)
        columns |= {
            f"acceptance_rate_{days}d": _share(jobs, offers),
            f"completion_rate_{days}d": _share(done, jobs),
            f"eta_error_mean_min_{days}d": late_min + _ETA_SPREAD_MIN * error[0],
            f"eta_error_p90_min_{days}d": late_min + _ETA_SPREAD_MIN * (1.28 + 1.7 * error[1]),
            f"cancel_rate_{days}d": _share(jobs - done, jobs),
            f"satisfaction_{days}d": np.clip(
                score + 0.8 * rng.normal(size=len(who)) * answers, 1, 5
            ),
            f"jobs_{days}d": jobs.astype(np.float64),
        }
    frame = pd.DataFrame(columns).astype(np.float32)
    frame.insert(0, "provider_id", [providers.ids[i] for i in who])
    frame.insert(1, "service", SERVICES[service])
    return frame


def _share(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> Floats:
    """Return part over whole, NaN where there is nothing to share."""
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)


def _over_root(count: npt.NDArray[Any]) -> Floats:
    """Return the standard error of a mean of so many values, NaN without any."""
    return np.where(count > 0, 1 / np.sqrt(np.maximum(count, 1)), np.nan)


def _write(frame: pd.DataFrame, event: datetime, path: Path) -> Path:
    stamps = {"event_timestamp": event, "created_timestamp": event + _PUBLISHED_AFTER}
    for name, moment in stamps.items():
        frame[name] = pd.Series([moment] * len(frame), dtype="datetime64[us, UTC]")
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_parquet(path, index=False)
    return path
