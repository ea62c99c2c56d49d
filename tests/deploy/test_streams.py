from deploy.streams import DEAD_LETTER, STREAMS, Stream
from flink_jobs import event_schemas


def test_the_names_are_the_contract() -> None:
    """Deployed are exactly the streams that producers and jobs know, in the same order."""
    assert tuple(stream.name for stream in STREAMS) == event_schemas.STREAMS
    assert DEAD_LETTER == event_schemas.DEAD_LETTER


def test_shards_follow_what_is_reached_first() -> None:
    """Shards hold the peak by records or by bytes, whichever asks for more, with room to spare."""
    assert Stream("many small", 5300, 160).shards == 8  # 5.3 shards full, 7.07 at 75 %
    assert Stream("few large", 100, 30 * 1024).shards == 4  # 2.93 shards full, 3.91 at 75 %
    assert Stream("quiet", 1, 100).shards == 1
