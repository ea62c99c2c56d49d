"""Putting our functions in the place of ministack's.

ministack looks its handlers up by name at each request, so replacing a name replaces what it does.
"""

from ministack.services import kinesis

from deploy.local.kinesis import reading, resharding, retention, shards, throttle, writing

REPLACED = {
    "_expire_records": retention.expire,
    "_expire_iterators": lambda: None,  # an iterator carries its own time
    "_route_to_shard": shards.route,
    "_shard_out": shards.describe,
    "_describe_stream_summary": shards.summarise,
    "_split_shard": resharding.split,
    "_merge_shards": resharding.merge,
    "_update_shard_count": resharding.update_count,
    "_put_record": writing.put_record,
    "_put_records": writing.put_records,
    "_get_shard_iterator": reading.get_shard_iterator,
    "_get_records": reading.get_records,
    "_list_shards": throttle.refusing("ListShards", kinesis._list_shards),
}


def install() -> None:
    """Replace ministack's functions.

    Raises:
        AttributeError: This ministack has no function of one of the names; pin another version.
    """
    for name, function in REPLACED.items():
        if not hasattr(kinesis, name):
            raise AttributeError(
                f"ministack.services.kinesis has no {name!r}; install the version of "
                "constraints.txt, or mend that part anew"
            )
        setattr(kinesis, name, function)
