"""Expiry: records past their stream's retention, and closed shards that have none left."""

import time
from bisect import bisect_left
from operator import attrgetter

from deploy.local.kinesis.answers import Stream
from deploy.local.kinesis.shards import dropped, is_open

EXPIRE_EVERY_S = 5.0
"""At most so often: records expire by the hour, and requests come by the thousand."""

arrival = attrgetter("ApproximateArrivalTimestamp")


def expire(stream: Stream) -> None:
    """Drop a stream's expired records, if that was not done just now."""
    now = time.time()
    if now < stream.get("next_expiry", 0.0):
        return
    stream["next_expiry"] = now + EXPIRE_EVERY_S
    cutoff = now - stream["RetentionPeriodHours"] * 3600
    for shard in stream["shards"].values():
        expired = bisect_left(shard["records"], cutoff, key=arrival)
        del shard["records"][:expired]
        shard["dropped"] = dropped(shard) + expired
    stream["shards"] = {
        name: shard
        for name, shard in stream["shards"].items()
        if is_open(shard) or shard["closed_at"] >= cutoff
    }
