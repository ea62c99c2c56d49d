package roadside.flink;

import org.apache.flink.api.common.eventtime.TimestampAssigner;
import org.apache.flink.api.common.eventtime.TimestampAssignerSupplier;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkGeneratorSupplier;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.connector.file.src.FileSource;
import org.apache.flink.connector.file.src.reader.TextLineInputFormat;
import org.apache.flink.core.fs.Path;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonProcessingException;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * The records of an archive, in its order, each with its arrival as its timestamp: what a stream
 * gave when they came. A line is {@code {"received_ts": epoch ms, "record_text": text}}.
 *
 * <p>Read in batch there are no watermarks. Read as a stream there is one after every record, so
 * that what is late does not depend on how fast the files are read.
 */
public final class ArchivedRecords implements WatermarkStrategy<ArchivedRecords.Entry> {
    private static final long serialVersionUID = 1L;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final long outOfOrderMillis;

    private ArchivedRecords(long outOfOrderMillis) {
        this.outOfOrderMillis = outOfOrderMillis;
    }

    /** One line; the fields are public for Flink's serializer. */
    public static final class Entry {
        public long receivedTs;
        public String text;
    }

    /** Reads every file of a folder. */
    public static DataStream<String> read(
            StreamExecutionEnvironment env, String folder, long outOfOrderMillis, String name) {
        FileSource<String> lines =
                FileSource.forRecordStreamFormat(new TextLineInputFormat(), new Path(folder))
                        .build();
        TypeInformation<Entry> type = Types.POJO(Entry.class);
        return env.fromSource(lines, WatermarkStrategy.noWatermarks(), name)
                .map(ArchivedRecords::parse)
                .returns(type)
                .assignTimestampsAndWatermarks(new ArchivedRecords(outOfOrderMillis))
                .map(entry -> entry.text)
                .returns(Types.STRING);
    }

    private static Entry parse(String line) {
        try {
            JsonNode node = JSON.readTree(line);
            Entry entry = new Entry();
            entry.receivedTs = node.required("received_ts").longValue();
            entry.text = node.required("record_text").textValue();
            return entry;
        } catch (JsonProcessingException | IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "archive line is not {\"received_ts\": ms, \"record_text\": text}: " + line, e);
        }
    }

    @Override
    public TimestampAssigner<Entry> createTimestampAssigner(
            TimestampAssignerSupplier.Context context) {
        return (entry, timestamp) -> entry.receivedTs;
    }

    @Override
    public WatermarkGenerator<Entry> createWatermarkGenerator(
            WatermarkGeneratorSupplier.Context context) {
        EventWatermarks.Generator generator = new EventWatermarks.Generator(outOfOrderMillis);
        return new WatermarkGenerator<>() {
            @Override
            public void onEvent(Entry entry, long arrival, WatermarkOutput output) {
                generator.onEvent(entry.text, arrival, output);
                generator.onPeriodicEmit(output);
            }

            @Override
            public void onPeriodicEmit(WatermarkOutput output) {
                // There was one after the last record, and time does not pass in an archive.
            }
        };
    }
}
