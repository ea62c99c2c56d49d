"""What a job is told from outside: property groups, as Managed Service for Apache Flink gives them.

The file is a list of ``{"PropertyGroupId": ..., "PropertyMap": {name: text}}``. On the service it
is ``/etc/flink/application_properties.json``; elsewhere ``APPLICATION_PROPERTIES_FILE`` or
``--properties`` names one. Groups that are not ours (the service has some) are left alone.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from feature_repo.schema import STREAM_VIEWS

SERVICE_PROPERTIES = Path("/etc/flink/application_properties.json")
PROPERTIES_VARIABLE = "APPLICATION_PROPERTIES_FILE"

MOTION_WINDOW_S = 120
CONDITIONS_WINDOW_S = 300
DEMAND_WINDOW_S = 3600
DEMAND_RECENT_S = 900

Positive = Annotated[float, msgspec.Meta(gt=0)]
PositiveInt = Annotated[int, msgspec.Meta(gt=0)]
Name = Annotated[str, msgspec.Meta(min_length=1)]

_Group = TypeVar("_Group", bound=msgspec.Struct)


class SettingsError(ValueError):
    """A setting that cannot be used; the message names group, key, value and remedy."""


class Jobs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Group ``jobs``: what this application computes.

    Attributes:
        views: Names of stream views, comma-separated, or ``all``.
        name: The Flink job's name, also written into dead letters.
    """

    views: str = "all"
    name: Name = "roadside-features"

    @property
    def selected(self) -> tuple[str, ...]:
        """The views' names, in the schema's order."""
        known = tuple(view.name for view in STREAM_VIEWS)
        asked = known if self.views == "all" else tuple(v.strip() for v in self.views.split(","))
        unknown = [name for name in asked if name not in known]
        if unknown or not asked:
            raise SettingsError(
                f"group 'jobs', key 'views': {self.views!r} is not usable; give 'all' or some of "
                f"{', '.join(known)}, separated by commas"
            )
        return tuple(name for name in known if name in asked)


class Streams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Group ``streams``: where the events come from.

    Attributes:
        kind: ``kinesis``, or ``archive``: files of JSON lines, read once, in batch.
        archive_dir: For ``archive``: one directory a stream, named like it.
        region: AWS region of the streams.
        endpoint_url: An emulator's address; unset on AWS.
        access_key: For an emulator; unset on AWS, where the role of the application counts.
        secret_key: Goes with ``access_key``.
        initial_position: Where a job without a checkpoint begins.
        read_interval_ms: Least time between two reads of one shard, milliseconds. Kinesis allows
            five reads a second for each shard, over all its readers.
    """

    kind: Literal["kinesis", "archive"] = "kinesis"
    archive_dir: str | None = None
    region: Name = "us-east-1"
    endpoint_url: str | None = None
    access_key: str | None = None
    secret_key: str | None = None
    initial_position: Literal["LATEST", "TRIM_HORIZON"] = "LATEST"
    read_interval_ms: PositiveInt = 250


class EventTime(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Group ``event_time``: how long a job waits for events, and what it accepts. Seconds.

    Attributes:
        out_of_order_s: How late GPS, weather and traffic events may come and still be counted.
        changes_out_of_order_s: The same for availability and dispatch events, whose features are
            written as soon as this has passed.
        idle_after_s: A stream without events for so long no longer holds back the others.
        max_future_s: An event further ahead of its arrival is a dead letter.
        max_age_s: An event further behind its arrival is a dead letter.
        motion_slide_s: How often ``provider_motion`` is written; divides 120.
        conditions_slide_s: How often ``cell_conditions`` is written; divides 300.
        demand_slide_s: How often ``cell_demand`` is written; divides 900.
        state_ttl_h: A provider unheard of for so many hours is forgotten.
    """

    out_of_order_s: Positive = 2.0
    changes_out_of_order_s: Positive = 2.0
    idle_after_s: Positive = 5.0
    max_future_s: Positive = 30.0
    max_age_s: Positive = 600.0
    motion_slide_s: PositiveInt = 15
    conditions_slide_s: PositiveInt = 60
    demand_slide_s: PositiveInt = 60
    state_ttl_h: PositiveInt = 24


class FeatureStore(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Group ``feature_store``: where the features go.

    Attributes:
        redis_url: For kind ``kinesis``: ``redis://host:port/db``, or ``rediss://`` for TLS.
        redis_patience_s: How long a Redis that is away is waited for before the job restarts.
        offline_dir: The folder of the Parquet rows, one folder a view: a path, or a URI of a file
            system that Flink has (``s3://...``). Needed for kind ``archive``; without it, kind
            ``kinesis`` writes to Redis only.
        project: The Feast project.
        beacon_interval_s: How often a view's beacon is written, whole seconds.
    """

    redis_url: str | None = None
    redis_patience_s: Positive = 300.0
    offline_dir: str | None = None
    project: Name = "roadside"
    beacon_interval_s: PositiveInt = 5


class Settings(msgspec.Struct, frozen=True):
    """All settings of one application."""

    jobs: Jobs
    streams: Streams
    event_time: EventTime
    feature_store: FeatureStore


def load(path: Path | None = None) -> Settings:
    """Read the settings from ``path``, ``APPLICATION_PROPERTIES_FILE`` or the service's file.

    Raises:
        SettingsError: The file is not there or not of the form, or a value cannot be used.
    """
    found = path or Path(os.environ.get(PROPERTIES_VARIABLE, SERVICE_PROPERTIES))
    try:
        text = found.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"settings file {str(found)!r} cannot be read ({error.strerror}); name one with "
            f"--properties or {PROPERTIES_VARIABLE}"
        ) from error
    return parse(text, str(found))


def parse(text: bytes, origin: str = "settings") -> Settings:
    """Turn the file's text into settings.

    Args:
        text: JSON, a list of property groups.
        origin: What to call the file in errors.

    Raises:
        SettingsError: As for ``load``.
    """
    try:
        entries = msgspec.json.decode(text, type=list[_Entry])
    except msgspec.DecodeError as error:
        raise SettingsError(
            f"{origin}: {error}; it should be a list of "
            '{"PropertyGroupId": name, "PropertyMap": {key: text}}'
        ) from error
    groups = {entry.group: entry.properties for entry in entries}
    settings = Settings(
        jobs=_group(groups, "jobs", Jobs),
        streams=_group(groups, "streams", Streams),
        event_time=_group(groups, "event_time", EventTime),
        feature_store=_group(groups, "feature_store", FeatureStore),
    )
    _check_together(settings)
    return settings


class _Entry(msgspec.Struct, frozen=True):
    group: str = msgspec.field(name="PropertyGroupId")
    properties: dict[str, str] = msgspec.field(name="PropertyMap")


def _group(groups: Mapping[str, dict[str, str]], name: str, kind: type[_Group]) -> _Group:
    properties = groups.get(name, {})
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    for key in properties:
        if key not in fields:
            raise SettingsError(
                f"group {name!r} has no key {key!r}; its keys are {', '.join(fields)}"
            )
    for key, field in fields.items():
        if field.required and key not in properties:
            raise SettingsError(f"group {name!r}: key {key!r} is missing; add it")
    converted: dict[str, Any] = {}
    for key, value in properties.items():
        try:
            converted[key] = msgspec.convert(value, fields[key].type, strict=False)
        except msgspec.ValidationError as error:
            raise SettingsError(
                f"group {name!r}, key {key!r}: {value!r} is not usable ({error}); correct it"
            ) from error
    return kind(**converted)


def _check_together(settings: Settings) -> None:
    """Check what no single value shows."""
    _ = settings.jobs.selected
    is_archive = settings.streams.kind == "archive"
    store = settings.feature_store
    for needed, group, key, value in (
        (is_archive, "streams", "archive_dir", settings.streams.archive_dir),
        (is_archive, "feature_store", "offline_dir", store.offline_dir),
        (not is_archive, "feature_store", "redis_url", store.redis_url),
    ):
        if needed and not value:
            raise SettingsError(
                f"group {group!r}: kind {settings.streams.kind!r} needs the key {key!r}; add it"
            )
    times = settings.event_time
    for key, slide, window in (
        ("motion_slide_s", times.motion_slide_s, MOTION_WINDOW_S),
        ("conditions_slide_s", times.conditions_slide_s, CONDITIONS_WINDOW_S),
        ("demand_slide_s", times.demand_slide_s, DEMAND_RECENT_S),
    ):
        if window % slide:
            raise SettingsError(
                f"group 'event_time', key {key!r}: {slide} does not divide {window}; choose a "
                f"number of seconds that divides {window}"
            )
