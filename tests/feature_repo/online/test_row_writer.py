import random

import numpy as np
import pytest
import redis

from feature_repo.online.keys import geo_index_key
from feature_repo.online.reader import FeatureReader, Lookup
from feature_repo.online.row_writer import RowWriter
from feature_repo.schema import PROVIDER_HISTORY, PROVIDER_MOTION, PROVIDER_PROFILE
from tests.support import rows

pytestmark = pytest.mark.integration

PROJECT = "test"
T0 = 1_700_000_000_000_000


def _speed(client: redis.Redis, provider: str) -> float:
    read = FeatureReader(client, PROJECT).read([Lookup((PROVIDER_MOTION,), [(provider,)])], T0)
    return float(read["provider_motion"].columns["provider_motion__speed_mean_kph"][0])


def test_the_newest_row_wins_in_any_order_of_arrival(redis_client: redis.Redis) -> None:
    """Whatever the order of writes and replays, the row of the newest event is the one kept."""
    writer = RowWriter(redis_client, PROJECT)
    moments = [*range(20), 3, 7, 19]
    random.Random(1).shuffle(moments)
    for moment in moments:
        rows.write(writer, PROVIDER_MOTION, ["p1"], T0 + moment, speed_mean_kph=float(moment))
    assert _speed(redis_client, "p1") == 19


def test_an_older_row_is_counted_as_stale_and_moves_nobody(redis_client: redis.Redis) -> None:
    """An older row changes neither the row nor the geo index, and is counted."""
    writer = RowWriter(redis_client, PROJECT)
    rows.write(writer, PROVIDER_MOTION, ["p1"], T0, lat=40.0, lon=-100.0)
    counts = rows.write(writer, PROVIDER_MOTION, ["p1"], T0 - 1, lat=10.0, lon=-10.0)
    assert (counts.written, counts.stale) == (0, 1)
    longitude, latitude = redis_client.geopos(geo_index_key(PROJECT), "p1")[0]
    assert (round(latitude), round(longitude)) == (40, -100)


def test_a_batch_larger_than_one_call_is_written_whole(redis_client: redis.Redis) -> None:
    """Rows beyond the size of one script call are all written, each with its position."""
    writer = RowWriter(redis_client, PROJECT)
    ids = [f"p{i}" for i in range(1201)]
    counts = rows.write(writer, PROVIDER_MOTION, ids, T0, lat=40.0, lon=-100.0)
    assert counts.written == 1201
    assert redis_client.zcard(geo_index_key(PROJECT)) == 1201


def test_the_reader_tells_missing_from_known(redis_client: redis.Redis) -> None:
    """One round trip brings several views and entities; what is absent is NaN and counted."""
    writer = RowWriter(redis_client, PROJECT)
    rows.write(writer, PROVIDER_PROFILE, ["p1", "p2"], T0, radius_km=[10.0, None])
    rows.write(writer, PROVIDER_HISTORY, [("p2", "tow")], T0, jobs_7d=5.0)
    read = FeatureReader(redis_client, PROJECT).read(
        [
            Lookup((PROVIDER_MOTION, PROVIDER_PROFILE), [("p1",), ("p2",), ("p3",)]),
            Lookup((PROVIDER_HISTORY,), [("p1", "tow"), ("p2", "tow"), ("p3", "tow")]),
        ],
        T0,
    )
    radius = read["provider_profile"].columns["provider_profile__radius_km"]
    np.testing.assert_array_equal(radius, [10.0, np.nan, np.nan])
    assert read["provider_profile"].missing.tolist() == [False, False, True]
    assert read["provider_motion"].missing.all()
    jobs = read["provider_history"].columns["provider_history__jobs_7d"]
    np.testing.assert_array_equal(jobs, [np.nan, 5.0, np.nan])


def test_a_beacon_says_how_far_its_view_has_come(redis_client: redis.Redis) -> None:
    """A view's beacon is read back as written, and a silent view has none."""
    RowWriter(redis_client, PROJECT).beacon("provider_motion", 12, 34)
    beacons = FeatureReader(redis_client, PROJECT).beacons()
    assert set(beacons) == {"provider_motion"}
    assert (beacons["provider_motion"].watermark_us, beacons["provider_motion"].wall_us) == (12, 34)
