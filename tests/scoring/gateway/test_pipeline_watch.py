import numpy as np
from redis import RedisError

from feature_repo.online.reader import Beacon
from feature_repo.schema import PROVIDER_AVAILABILITY, PROVIDER_MOTION
from scoring.gateway.candidate_table import CandidateTable, StackedColumns
from scoring.gateway.pipeline_watch import STALLED_S, PipelineWatch, without
from tests.support.rows import columns_of

NOW_US = 1_800_000_000_000_000
OLD_US = NOW_US - int((STALLED_S + 1) * 1e6)


class _Beacons:
    """What the jobs wrote, or a Redis that is away."""

    def __init__(self, **wall_us: int) -> None:
        # Watermarks are old: nobody has moved for an hour.
        self.now = {view: Beacon(NOW_US - 3_600_000_000, wall) for view, wall in wall_us.items()}
        self.away = False

    async def __call__(self) -> dict[str, Beacon]:
        if self.away:
            raise RedisError
        return self.now


async def test_a_pipeline_is_stalled_when_its_job_is_silent_not_when_providers_are() -> None:
    """The beacon's wall time counts, not its watermark; a view without a job is not stalled."""
    beacons = _Beacons(provider_motion=OLD_US, provider_availability=NOW_US)
    watch = PipelineWatch(beacons, lambda: NOW_US)
    await watch.look()
    assert watch.stalled == ("provider_motion",)
    beacons.now["provider_motion"] = Beacon(NOW_US, NOW_US)
    await watch.look()
    assert watch.stalled == ()


async def test_while_redis_is_away_what_was_seen_last_stands() -> None:
    """A beacon that cannot be read says nothing of the job."""
    beacons = _Beacons(provider_motion=NOW_US)
    watch = PipelineWatch(beacons, lambda: NOW_US + int(2 * STALLED_S * 1e6))
    beacons.away = True
    await watch.look()
    assert watch.stalled == ()
    beacons.away = False
    await watch.look()
    assert watch.stalled == ("provider_motion",)


def test_the_values_of_a_stalled_view_are_unknown_and_their_age_is_told() -> None:
    """Numbers become NaN and the status nothing; when it was reported stays."""
    columns = {
        f"{view.name}__{name}": np.array(values)
        for view in (PROVIDER_MOTION, PROVIDER_AVAILABILITY)
        for name, values in columns_of(view, 2, {"status": b"available"}).items()
    }
    table = CandidateTable(["a", "b"], StackedColumns.of(columns), {})
    blank = without(table, ["provider_availability"]).columns
    assert blank["provider_availability__status"].tolist() == [b"", b""]
    assert np.isnan(blank["provider_availability__free_capacity"]).all()
    assert np.isnan(blank["provider_availability__shift_end"]).all()
    reported = "provider_availability__status_reported_at"
    assert (blank[reported] == columns[reported]).all()
    assert (blank["provider_motion__lat"] == columns["provider_motion__lat"]).all()
    assert without(table, []) is table
