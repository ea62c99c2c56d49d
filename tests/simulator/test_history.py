"""The archive that the simulator writes."""

import dataclasses
import hashlib
from pathlib import Path

import msgspec
import pandas as pd
import pytest

from feature_repo.request_time import REQUEST_INPUTS
from feature_repo.schema import BATCH_VIEWS, HISTORY_DAYS, NUMPY_DTYPES, Kind
from flink_jobs.event_schemas import ArchivedRecord
from simulator import history, jobs
from simulator.case import Event
from simulator.event_files import STREAM_OF
from simulator.journal import Journal
from simulator.reports import Intervals
from simulator.world import World
from tests.simulator.conftest import SETTINGS, SPAN

KEYS = ["event_id", "provider_id"]


def test_same_seed_same_bytes(archive: Path, tmp_path: Path) -> None:
    """The same settings and span give the same archive, to the byte."""
    history.write(SETTINGS, SPAN, tmp_path)
    assert _digests(tmp_path) == _digests(archive)


def test_another_seed_is_another_world(archive: Path, tmp_path: Path) -> None:
    """Another seed gives other decisions."""
    history.write(dataclasses.replace(SETTINGS, seed=6), SPAN, tmp_path)
    name = "decisions"
    assert not pd.read_parquet(tmp_path / name).equals(pd.read_parquet(archive / name))


def test_every_line_fits_its_schema_and_is_in_order(archive: Path) -> None:
    """Every line decodes strictly into its stream's event, and times never go back."""
    for kind, stream in STREAM_OF.items():
        events = _events(archive, kind, stream)
        assert events, stream
        times = [event.ts for event in events]
        assert times == sorted(times)
        assert times[0] >= SPAN.start_s * 1000
        assert times[-1] <= SPAN.end_s * 1000


def test_dispatch_events_carry_what_the_schema_promises(archive: Path) -> None:
    """A request carries its place and service, every offer and answer its provider."""
    kinds = {kind: stream for kind, stream in STREAM_OF.items() if stream == "dispatch-events"}
    ((kind, stream),) = kinds.items()
    seen = set()
    for event in _events(archive, kind, stream):
        seen.add(event.kind)
        if event.kind == "request":
            assert None not in (event.lat, event.lon, event.service, event.promised_minutes)
        elif event.kind != "cancel":
            assert event.provider_id is not None
        assert (event.score is not None) == (event.kind == "satisfaction")
    assert {"request", "offer", "accept", "decline", "arrive", "complete", "satisfaction"} <= seen


def test_decisions_have_the_request_inputs_and_sound_propensities(archive: Path) -> None:
    """Decisions name the request's fields as the features do, and propensities sum to one."""
    decisions = pd.read_parquet(archive / "decisions")
    assert {column.name for column in REQUEST_INPUTS} <= set(decisions.columns)
    sums = decisions.groupby("event_id")["propensity"].sum()
    assert (abs(sums - 1) < 1e-9).all()
    assert (decisions["propensity"] > 0).all()
    assert (decisions["offered"] == (decisions["offer_rank"] > 0)).all()


def test_each_offer_has_an_outcome(archive: Path) -> None:
    """Offered candidates, offers on the stream and outcomes are the same pairs."""
    keys = ["event_id", "provider_id"]
    decisions = pd.read_parquet(archive / "decisions")
    outcomes = pd.read_parquet(archive / "outcomes")
    offered = set(map(tuple, decisions.loc[decisions["offered"], keys].to_numpy()))
    assert offered == set(map(tuple, outcomes[keys].to_numpy()))


def test_the_archive_is_what_was_played(archive: Path) -> None:
    """Each row has its own candidate's propensity, true chance and offer, and its outcome."""
    journal, truth = Journal(), pd.read_parquet(archive / "truth")
    world = World(SETTINGS, SPAN.start_s, f"h{SETTINGS.seed}", journal)
    while world.now_s < SPAN.end_s:
        is_open = world.now_s < SPAN.close_s
        world.tick(world.now_s + 15, open_for_requests=is_open)
    rows = {
        (decision.request.event_id, provider_id): values
        for decision in journal.decisions
        for provider_id, *values in zip(
            decision.provider_ids,
            decision.propensity.tolist(),
            decision.success_probability.tolist(),
            decision.offer_rank.tolist(),
            strict=True,
        )
    }
    decisions = pd.read_parquet(archive / "decisions").merge(truth, on=[*KEYS, "date"])
    found = {
        (event_id, provider_id): values
        for event_id, provider_id, *values in decisions[
            [*KEYS, "propensity", "success_probability", "offer_rank"]
        ].itertuples(index=False)
    }
    assert found == rows
    outcomes = pd.read_parquet(archive / "outcomes")
    assert len(outcomes) == len([o for o in journal.outcomes if o.recorded_s <= SPAN.end_s])
    arrived = {(o.event_id, o.provider_id): o.arrived_s for o in journal.outcomes if o.arrived_s}
    known = outcomes[outcomes["arrived_ts"].notna()].set_index(KEYS)["arrived_ts"]
    for key, moment in known.items():
        assert abs(moment.timestamp() - arrived[key]) < 0.001


def test_corrections_after_the_end_are_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An archive has no outcome that was recorded after its end, and those before it."""
    monkeypatch.setattr(jobs, "_CORRECTED_SHARE", 1.0)
    history.write(SETTINGS, SPAN, tmp_path)
    recorded = pd.read_parquet(tmp_path / "outcomes")["recorded_ts"]
    end = pd.Timestamp(SPAN.end_s, unit="s", tz="UTC")
    assert recorded.max() <= end
    offered = pd.read_parquet(tmp_path / "outcomes")["offered_ts"]
    assert (recorded > offered + pd.Timedelta(hours=2)).any()


def test_batch_tables_have_the_views_columns_and_types(archive: Path) -> None:
    """Profiles and records have the columns and types that their views declare."""
    for view in BATCH_VIEWS:
        path = next((archive / "offline" / view.name).rglob("*.parquet"))
        table = pd.read_parquet(path)
        times = {"event_timestamp", "created_timestamp"}
        assert set(table.columns) == {*view.join_keys, *view.column_names, *times}
        for column in view.columns:
            assert column.kind is not Kind.STRING
            assert table[column.name].dtype == NUMPY_DTYPES[column.kind]


def test_records_nest_and_tell_of_hidden_traits(archive: Path) -> None:
    """Longer windows contain shorter ones, and 90 days of acceptance follow eagerness."""
    path = next((archive / "offline" / "provider_history").rglob("*.parquet"))
    records = pd.read_parquet(path)
    jobs = [records[f"jobs_{days}d"] for days in HISTORY_DAYS]
    assert (jobs[0] <= jobs[1]).all()
    assert (jobs[1] <= jobs[2]).all()
    world = World(SETTINGS, SPAN.start_s, "x")
    eagerness = dict(zip(world.providers.ids, world.providers.hidden.eagerness, strict=True))
    hidden = records["provider_id"].map(eagerness)
    assert records["acceptance_rate_90d"].corr(hidden) > 0.5


def test_outcomes_do_not_depend_on_what_is_observed(archive: Path, tmp_path: Path) -> None:
    """Reporting GPS and weather half as often changes no outcome: nothing reads the streams."""
    intervals = Intervals(120.0, 180.0, 240.0)
    history.write(dataclasses.replace(SETTINGS, intervals=intervals), SPAN, tmp_path)
    name = "outcomes"
    assert pd.read_parquet(tmp_path / name).equals(pd.read_parquet(archive / name))


def _events(archive: Path, kind: type[Event], stream: str) -> list[Event]:
    decoder, archived = msgspec.json.Decoder(kind), msgspec.json.Decoder(ArchivedRecord)
    return [
        decoder.decode(archived.decode(line).record_text)
        for path in sorted((archive / "events" / stream).glob("*.jsonl"))
        for line in path.read_bytes().splitlines()
    ]


def _digests(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in directory.rglob("*")
        if path.is_file()
    }
