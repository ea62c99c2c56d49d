from collections.abc import Sequence

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feature_repo.online.bulk_read import KEYS_AT_ONCE, Fields, Wanted, read_fields

pytestmark = pytest.mark.integration

NAMES = st.binary(max_size=3) | st.binary(max_size=2000)


def _wanted(keys: Sequence[bytes], fields: Sequence[bytes]) -> Wanted[list[Fields]]:
    return Wanted(len(keys), keys.__getitem__, fields, list)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    hashes=st.dictionaries(
        NAMES, st.dictionaries(NAMES, NAMES, min_size=1, max_size=3), max_size=4
    ),
    absent=NAMES,
    data=st.data(),
)
def test_fields_come_as_a_pipeline_brings_them(
    redis_client: redis.Redis,
    hashes: dict[bytes, dict[bytes, bytes]],
    absent: bytes,
    data: st.DataObject,
) -> None:
    """Any keys, fields and values, some absent or asked for twice: as HMGET, one by one, has it."""
    redis_client.flushall()
    for key, fields in hashes.items():
        redis_client.hset(key, mapping=fields)  # type: ignore[arg-type]
    known = [absent, *hashes, *(field for fields in hashes.values() for field in fields)]
    some = st.lists(st.sampled_from(known), min_size=1, max_size=4)
    wanted = [(data.draw(some), data.draw(some)) for _ in range(2)]
    assert read_fields(redis_client, [_wanted(*part) for part in wanted]) == [
        [redis_client.hmget(key, fields) for key in keys] for keys, fields in wanted
    ]


def test_an_error_leaves_no_answer_behind(redis_client: redis.Redis) -> None:
    """After a key that is no hash, the next question gets its own answers."""
    redis_client.set("text", "x")
    redis_client.hset("hash", "field", "value")
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        read_fields(redis_client, [_wanted([b"hash", b"text", b"hash", b"hash"], [b"field"])])
    assert read_fields(redis_client, [_wanted([b"hash"], [b"field"])]) == [[[b"value"]]]


def test_nothing_asked_is_nothing_read(redis_client: redis.Redis) -> None:
    """No entities: no round trip is waited for."""
    assert read_fields(redis_client, [_wanted([], [b"field"])]) == [[]]


def test_more_than_one_piece(redis_client: redis.Redis) -> None:
    """Keys beyond those that are sent at once are all asked for, in their order."""
    keys = [b"hash %d" % number for number in range(2 * KEYS_AT_ONCE + 1)]
    for key in keys:
        redis_client.hset(key, "field", key)  # type: ignore[arg-type]
    wanted = [_wanted(keys, [b"field"]), _wanted(keys[::-1], [b"field"])]
    assert read_fields(redis_client, wanted) == [
        [[key] for key in keys],
        [[key] for key in keys[::-1]],
    ]
