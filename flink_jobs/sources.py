"""Where raw records come from: Kinesis streams, or archived files of the same records.

Either gives a table of ``record_text`` and ``received_at`` (its arrival).
"""

from pathlib import Path
from typing import Any

from pyflink.common import Configuration, Duration, Types, WatermarkStrategy
from pyflink.common.serialization import SimpleStringSchema
from pyflink.datastream import DataStream, StreamExecutionEnvironment
from pyflink.datastream.connectors.base import Source
from pyflink.java_gateway import get_gateway
from pyflink.table import Schema, StreamTableEnvironment, Table

from flink_jobs.settings import EventTime, Settings, Streams
from flink_jobs.validation import CHECKS

ADAPTED_SOURCE = "roadside.flink.PacedKinesisSource"
"""Of the jar's profile ``adapter``."""

CONNECTOR_SOURCE = "org.apache.flink.connector.kinesis.source.KinesisStreamsSource"
"""Of the connector itself; runs on this Flink only from the jar's profile ``official``."""


DISCOVERY_INTERVAL_MS = 1000
"""How often a stream is asked for new shards: within the time that is waited for late events, so
that those of a shard that follows another are in time. Kinesis allows 1,000 such calls a second."""


class SourceError(RuntimeError):
    """A source that cannot be made; the message names the remedy."""


def kinesis_table(
    env: StreamExecutionEnvironment,
    tables: StreamTableEnvironment,
    stream: str,
    arn: str,
    settings: Settings,
) -> Table:
    """Return the raw records of a Kinesis stream, from its checkpointed position on.

    Watermarks are made here, for each shard, and flow on through the tables.

    Raises:
        SourceError: The jar with the connector is not on the class path.
    """
    records = env.from_source(
        _kinesis_source(arn, settings.streams),
        _watermarks(stream, settings.event_time),
        stream,
        Types.STRING(),
    ).uid(f"source-{stream}")
    return _with_arrival(tables, records)


def archive_table(
    env: StreamExecutionEnvironment, tables: StreamTableEnvironment, stream: str, settings: Settings
) -> Table:
    """Return the archived records of a stream, in batch or as a stream, as ``env`` is set.

    They are JSON lines, ``{"received_ts": epoch ms, "record_text": text}``.

    Raises:
        SourceError: There is no directory for the stream.
    """
    directory = Path(settings.streams.archive_dir or "") / stream
    if not directory.is_dir():
        raise SourceError(
            f"archive of stream {stream!r}: {str(directory)!r} is not a directory; create it (it "
            "may be empty) or correct 'archive_dir' in group 'streams'"
        )
    records = get_gateway().jvm.roadside.flink.ArchivedRecords.read(
        env._j_stream_execution_environment,
        directory.resolve().as_uri(),
        _late_ms(stream, settings.event_time),
        stream,
    )
    return _with_arrival(tables, DataStream(records))


def _with_arrival(tables: StreamTableEnvironment, records: DataStream) -> Table:
    """Return texts whose timestamps are their arrivals as ``record_text`` and ``received_at``."""
    schema = (
        Schema.new_builder()
        .column("f0", "STRING")
        .column_by_metadata("received_at", "TIMESTAMP_LTZ(3)", "rowtime", is_virtual=True)
        # A table drops the watermarks of its data stream unless it names them.
        .watermark("received_at", "SOURCE_WATERMARK()")
        .build()
    )
    raw = tables.from_data_stream(records, schema)
    return raw.select(raw.f0.alias("record_text"), raw.received_at)


def _late_ms(stream: str, times: EventTime) -> int:
    return round(CHECKS[stream].out_of_order_s(times) * 1000)


def _watermarks(stream: str, times: EventTime) -> WatermarkStrategy:
    java = get_gateway().jvm.roadside.flink.EventWatermarks(_late_ms(stream, times))
    return WatermarkStrategy(java).with_idleness(
        Duration.of_millis(round(times.idle_after_s * 1000))
    )


def _kinesis_source(arn: str, streams: Streams) -> Source:
    config = _connector_config(streams)
    adapted = _java_class(ADAPTED_SOURCE)
    schema = SimpleStringSchema("UTF-8")._j_deserialization_schema
    if adapted is not None:
        java = get_gateway().jvm.roadside.flink.PacedKinesisSource
        return Source(java(arn, config._j_configuration, schema, streams.read_interval_ms))
    connector = _java_class(CONNECTOR_SOURCE)
    if connector is None:
        raise SourceError(
            "no Kinesis connector on the class path; build flink_jobs/target/flink-jobs.jar with "
            "'mvn -f flink_jobs/pom.xml package' and submit with --jarfile"
        )
    package = get_gateway().jvm.org.apache.flink.connector.kinesis.source
    builder: Any = package.KinesisStreamsSource.builder()
    return Source(
        builder.setStreamArn(arn)
        .setSourceConfig(config._j_configuration)
        .setDeserializationSchema(schema)
        .build()
    )


def _java_class(name: str) -> Any | None:
    """Return a class that the job's jar may or may not have."""
    jvm = get_gateway().jvm
    loader = jvm.Thread.currentThread().getContextClassLoader()
    if loader.getResource(name.replace(".", "/") + ".class") is None:
        return None
    return loader.loadClass(name)


def _connector_config(streams: Streams) -> Configuration:
    config = Configuration()
    config.set_string("aws.region", streams.region)
    # The adapter's connector and the official one name these differently.
    config.set_string("flink.stream.initpos", streams.initial_position)
    config.set_string("source.init.position", streams.initial_position)
    config.set_string("flink.shard.discovery.intervalmillis", str(DISCOVERY_INTERVAL_MS))
    config.set_string("source.shard.discovery.interval", f"{DISCOVERY_INTERVAL_MS} ms")
    if streams.endpoint_url is not None:
        config.set_string("aws.endpoint", streams.endpoint_url)
    if streams.access_key is not None and streams.secret_key is not None:
        config.set_string("aws.credentials.provider", "BASIC")
        config.set_string("aws.credentials.provider.basic.accesskeyid", streams.access_key)
        config.set_string("aws.credentials.provider.basic.secretkey", streams.secret_key)
    return config
