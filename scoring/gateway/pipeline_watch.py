"""Tells a stalled pipeline from quiet providers, by the beacons that every job writes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from redis import RedisError

from feature_repo.model_matrix import full_name
from feature_repo.online.reader import Beacon
from feature_repo.schema import STREAM_VIEWS, VIEWS, Kind
from scoring.gateway.candidate_table import CandidateTable, StackedColumns

logger = logging.getLogger(__name__)

LOOK_S = 2.0
STALLED_S = 60.0
"""A job says every 5 s that it lives; a restart of it takes 15 to 31 s and is no reason yet."""
_US_PER_S = 1e6


class PipelineWatch:
    """Looks at the beacons every ``LOOK_S``, beside the requests.

    Args:
        beacons: Reads them, by view.
        now_us: Tells the time, epoch us.

    Attributes:
        stalled: The views whose job was silent for ``STALLED_S`` when last looked at. One that
            never was there is not among them: ``/readyz`` tells that.
    """

    def __init__(
        self, beacons: Callable[[], Awaitable[Mapping[str, Beacon]]], now_us: Callable[[], int]
    ) -> None:
        self._beacons = beacons
        self._now_us = now_us
        self.stalled: tuple[str, ...] = ()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Look once; while Redis does not answer, what was seen last stands."""
        try:
            async with asyncio.timeout(LOOK_S):
                beacons = await self._beacons()
        except (RedisError, TimeoutError) as error:
            logger.info("beacons cannot be read: %s", error)
            return
        now_us = self._now_us()
        self.stalled = tuple(
            view.name
            for view in STREAM_VIEWS
            if view.name in beacons and now_us - beacons[view.name].wall_us > STALLED_S * _US_PER_S
        )


def without(table: CandidateTable, views: Sequence[str]) -> CandidateTable:
    """Return the table with the values of these views unknown; how old they are is still told."""
    if not views:
        return table
    columns = dict(table.columns)
    for view in (VIEWS[name] for name in views):
        for column in view.columns:
            if column.name not in {view.observed_at, view.age_feature}:
                name = full_name(view.name, column.name)
                unknown = b"" if column.kind is Kind.STRING else np.nan
                columns[name] = np.full_like(columns[name], unknown)
    return replace(table, columns=StackedColumns.of(columns))
