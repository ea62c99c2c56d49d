package roadside.flink;

import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import org.apache.flink.connector.file.sink.FileSink;
import org.apache.flink.core.fs.Path;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.formats.parquet.ParquetWriterFactory;
import org.apache.flink.formats.parquet.row.ParquetRowDataWriter;
import org.apache.flink.formats.parquet.utils.ParquetSchemaConverter;
import org.apache.flink.streaming.api.functions.sink.filesystem.BucketAssigner;
import org.apache.flink.streaming.api.functions.sink.filesystem.OutputFileConfig;
import org.apache.flink.streaming.api.functions.sink.filesystem.bucketassigners.SimpleVersionedStringSerializer;
import org.apache.flink.streaming.api.functions.sink.filesystem.rollingpolicies.OnCheckpointRollingPolicy;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.RowType;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.api.WriteSupport;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.OutputFile;
import org.apache.parquet.io.api.RecordConsumer;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimestampLogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.Type;
import org.apache.parquet.schema.Types;

/**
 * The offline store's Parquet: {@code <folder>/date=YYYY-MM-DD/part-*.parquet}, a day a partition.
 *
 * <p>Flink's file sink shows a file when a checkpoint (in batch, the job) is complete, and never
 * one whose rows could come again. Beside Flink's own Parquet this says that times are UTC, which
 * Flink 2 leaves out, and gives the files their ending.
 */
public final class OfflineFiles {
    private OfflineFiles() {}

    /**
     * Writes a table's rows.
     *
     * @param eventTime the column whose day is a row's partition, TIMESTAMP_LTZ
     */
    public static void write(
            StreamTableEnvironment tables, Table rows, String folder, String eventTime, String name) {
        RowType type = RowStreams.nullable(RowStreams.type(rows));
        FileSink<RowData> sink =
                FileSink.forBulkFormat(
                                new Path(folder),
                                new ParquetWriterFactory<>(out -> new Builder(out, type).build()))
                        .withBucketAssigner(new Days(new Columns(type).index(eventTime)))
                        .withRollingPolicy(OnCheckpointRollingPolicy.build())
                        .withOutputFileConfig(new OutputFileConfig("part", ".parquet"))
                        .build();
        RowStreams.of(tables, rows).sinkTo(sink).name(name).uid(name);
    }

    /** Names the partition of a row. */
    private static final class Days implements BucketAssigner<RowData, String> {
        private static final long serialVersionUID = 1L;

        private final int eventTime;

        Days(int eventTime) {
            this.eventTime = eventTime;
        }

        @Override
        public String getBucketId(RowData row, Context context) {
            long millis = row.getTimestamp(eventTime, 6).getMillisecond();
            return "date=" + Instant.ofEpochMilli(millis).atOffset(ZoneOffset.UTC).toLocalDate();
        }

        @Override
        public SimpleVersionedSerializer<String> getSerializer() {
            return SimpleVersionedStringSerializer.INSTANCE;
        }
    }

    private static final class Builder extends ParquetWriter.Builder<RowData, Builder> {
        private final RowType type;

        Builder(OutputFile out, RowType type) {
            super(out);
            this.type = type;
            withCompressionCodec(CompressionCodecName.SNAPPY);
        }

        @Override
        protected Builder self() {
            return this;
        }

        @Override
        protected WriteSupport<RowData> getWriteSupport(Configuration conf) {
            conf.setBoolean("parquet.write.int64.timestamp", true);
            conf.set("parquet.timestamp.time.unit", "micros");
            return new Support(type, conf);
        }
    }

    private static final class Support extends WriteSupport<RowData> {
        private final RowType type;
        private final Configuration conf;
        private final MessageType schema;
        private ParquetRowDataWriter writer;

        Support(RowType type, Configuration conf) {
            this.type = type;
            this.conf = conf;
            this.schema =
                    inUtc(ParquetSchemaConverter.convertToParquetMessageType("rows", type, conf));
        }

        private static MessageType inUtc(MessageType schema) {
            List<Type> fields = new ArrayList<>();
            for (Type field : schema.getFields()) {
                LogicalTypeAnnotation meaning = field.getLogicalTypeAnnotation();
                if (meaning instanceof TimestampLogicalTypeAnnotation) {
                    LogicalTypeAnnotation utc =
                            LogicalTypeAnnotation.timestampType(
                                    true, ((TimestampLogicalTypeAnnotation) meaning).getUnit());
                    fields.add(
                            Types.primitive(
                                            field.asPrimitiveType().getPrimitiveTypeName(),
                                            field.getRepetition())
                                    .as(utc)
                                    .named(field.getName()));
                } else {
                    fields.add(field);
                }
            }
            return new MessageType(schema.getName(), fields);
        }

        @Override
        public WriteContext init(Configuration configuration) {
            return new WriteContext(schema, new HashMap<>());
        }

        @Override
        public void prepareForWrite(RecordConsumer consumer) {
            writer = new ParquetRowDataWriter(consumer, type, schema, true, conf);
        }

        @Override
        public void write(RowData row) {
            writer.write(row);
        }
    }
}
