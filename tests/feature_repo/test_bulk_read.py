import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feature_repo.bulk_read import Wanted, read_fields

pytestmark = pytest.mark.integration

NAMES = st.binary(max_size=3) | st.binary(max_size=2000)


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
    wanted = [Wanted(data.draw(some), data.draw(some)) for _ in range(2)]
    assert read_fields(redis_client, wanted) == [
        [redis_client.hmget(key, list(part.fields)) for key in part.keys] for part in wanted
    ]


def test_an_error_leaves_no_answer_behind(redis_client: redis.Redis) -> None:
    """After a key that is no hash, the next question gets its own answers."""
    redis_client.set("text", "x")
    redis_client.hset("hash", "field", "value")
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        read_fields(redis_client, [Wanted([b"hash", b"text", b"hash", b"hash"], [b"field"])])
    assert read_fields(redis_client, [Wanted([b"hash"], [b"field"])]) == [[[b"value"]]]


def test_nothing_asked_is_nothing_read(redis_client: redis.Redis) -> None:
    """No entities: no round trip is waited for."""
    assert read_fields(redis_client, [Wanted([], [b"field"])]) == [[]]
