"""The share of the backlog that was read."""

import pytest

from flink_jobs.redrive.progress import Catchup
from flink_jobs.redrive.reader import Page


def test_the_share_grows_with_every_shard_that_catches_up() -> None:
    """It is of all shards together, and 1 when none is behind."""
    catchup = Catchup()
    pages = [("a", 300), ("b", 100), ("a", 100), ("b", 0), ("a", 0)]

    shares = [catchup.share(Page(shard, [], behind)) for shard, behind in pages]

    assert shares == pytest.approx([0.0, 0.0, 0.5, 0.75, 1.0])
