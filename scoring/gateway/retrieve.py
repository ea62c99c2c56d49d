"""The second stage: who is near, from the geo index, in rings that widen until enough are found."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis import Redis

from feature_repo.online.keys import geo_index_key
from feature_repo.online.read_route import ReadRoute
from scoring.gateway.messages import RecommendationRequest

RING_RADII_KM = (10.0, 25.0, 60.0, 120.0)
ENOUGH_CANDIDATES = 150
"""A ring with so many is not widened: further providers would hardly be chosen."""
MAX_CANDIDATES = 400


@dataclass(frozen=True)
class Retrieved:
    """The providers to consider, nearest first where the geo index was asked."""

    provider_ids: list[str]
    radius_km: float | None


class Retriever:
    """Finds candidates in the geo index of one Feast project."""

    def __init__(self, client: Redis, project: str, replicas: Sequence[Redis] = ()) -> None:
        self._route: ReadRoute[Any] = ReadRoute(client, replicas)
        self._geo_key = geo_index_key(project)

    def retrieve(self, request: RecommendationRequest) -> Retrieved:
        """Return the request's own candidates, or the nearest providers.

        Raises:
            redis.RedisError: Redis did not answer.
        """
        if request.candidates is not None:
            return Retrieved(list(dict.fromkeys(request.candidates)), radius_km=None)
        found: list[str] = []
        for radius_km in RING_RADII_KM:
            found = self._within(request, radius_km)
            if len(found) >= ENOUGH_CANDIDATES:
                break
        return Retrieved(found, radius_km)

    def _within(self, request: RecommendationRequest, radius_km: float) -> list[str]:
        members = self._route.ask(
            lambda client: client.geosearch(
                self._geo_key,
                longitude=request.location.lon,
                latitude=request.location.lat,
                radius=radius_km,
                unit="km",
                sort="ASC",
                count=MAX_CANDIDATES,
            )
        )
        return [member.decode() for member in members]
