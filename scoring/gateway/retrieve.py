"""The second stage: who is near, from the geo index, in rings that widen until enough are found."""

from dataclasses import dataclass

from feature_repo.online.keys import geo_index_key
from feature_repo.online.packed import packed
from feature_repo.online.read_route import ReadRoute
from feature_repo.online.wire import Wire
from scoring.gateway.messages import Location, RecommendationRequest

RING_RADII_KM = (5, 10, 20, 40, 80, 120)
"""Twice as far is four times as many: a ring too small costs a quarter of the next one."""
ENOUGH_CANDIDATES = 120
"""A ring with so many is not widened: further providers would hardly be chosen."""
MAX_CANDIDATES = 400


@dataclass(frozen=True)
class Retrieved:
    """The providers to consider, nearest first where the geo index was asked."""

    provider_ids: list[str]
    radius_km: float | None


class Retriever:
    """Finds candidates in the geo index of one Feast project."""

    def __init__(
        self, route: ReadRoute[Wire], project: str, max_candidates: int = MAX_CANDIDATES
    ) -> None:
        self._route = route
        self._geo_key = geo_index_key(project).encode()
        self._max_candidates = max_candidates

    async def retrieve(self, request: RecommendationRequest) -> Retrieved:
        """Return the request's own candidates, or the nearest providers.

        Raises:
            redis.RedisError: Redis did not answer.
        """
        if request.candidates is not None:
            return Retrieved(list(dict.fromkeys(request.candidates)), radius_km=None)
        found: list[str] = []
        for radius_km in RING_RADII_KM:
            found = await self._within(request.location, radius_km)
            if len(found) >= ENOUGH_CANDIDATES:
                break
        return Retrieved(found, radius_km)

    async def _within(self, location: Location, radius_km: int) -> list[str]:
        command = _geosearch(self._geo_key, location, radius_km, self._max_candidates)
        (members,) = await self._route.ask_async(lambda wire: wire.ask(command, 1))
        return list(map(bytes.decode, members))


def _geosearch(key: bytes, location: Location, radius_km: int, count: int) -> bytes:
    """Return GEOSEARCH, nearest first, in Redis's protocol."""
    text = f"FROMLONLAT {location.lon!r} {location.lat!r} BYRADIUS {radius_km} km ASC COUNT {count}"
    return packed(b"GEOSEARCH", key, *text.encode().split())
