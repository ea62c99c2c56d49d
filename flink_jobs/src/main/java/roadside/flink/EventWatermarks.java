package roadside.flink;

import java.io.IOException;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkGeneratorSupplier;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonFactory;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonToken;

/**
 * How far the events of each shard have come, from the {@code ts} inside the raw records.
 *
 * <p>It belongs at the source, where Flink keeps one generator a shard and goes by the slowest: a
 * job that catches up reads one shard far ahead of another, and a watermark of the whole stream
 * would make the other's events late. An event counts for no later than its arrival, so that a
 * device whose clock is ahead makes nobody else's events late. The records' own timestamp stays
 * their arrival.
 */
public final class EventWatermarks implements WatermarkStrategy<String> {
    private static final long serialVersionUID = 1L;
    private static final JsonFactory JSON = new JsonFactory();
    private static final long NONE = Long.MIN_VALUE;

    private final long outOfOrderMillis;

    /** @param outOfOrderMillis how late an event may come behind a later one, milliseconds */
    public EventWatermarks(long outOfOrderMillis) {
        this.outOfOrderMillis = outOfOrderMillis;
    }

    @Override
    public WatermarkGenerator<String> createWatermarkGenerator(
            WatermarkGeneratorSupplier.Context context) {
        return new Generator(outOfOrderMillis);
    }

    /** Keeps the newest time among the records of one shard. */
    static final class Generator implements WatermarkGenerator<String> {
        private final long outOfOrderMillis;
        private long newest = NONE;

        Generator(long outOfOrderMillis) {
            this.outOfOrderMillis = outOfOrderMillis;
        }

        @Override
        public void onEvent(String record, long arrival, WatermarkOutput output) {
            newest = Math.max(newest, Math.min(timeOf(record), arrival));
        }

        @Override
        public void onPeriodicEmit(WatermarkOutput output) {
            if (newest != NONE) {
                output.emitWatermark(new Watermark(newest - outOfOrderMillis - 1));
            }
        }

        /** Returns the record's {@code ts}; a record without one moves nothing. */
        private static long timeOf(String record) {
            try (JsonParser parser = JSON.createParser(record)) {
                if (parser.nextToken() != JsonToken.START_OBJECT) {
                    return NONE;
                }
                while (parser.nextToken() == JsonToken.FIELD_NAME) {
                    boolean isTime = "ts".equals(parser.currentName());
                    JsonToken value = parser.nextToken();
                    if (isTime) {
                        return value == JsonToken.VALUE_NUMBER_INT ? parser.getLongValue() : NONE;
                    }
                    parser.skipChildren();
                }
                return NONE;
            } catch (IOException notAnEvent) {
                // Checked, and made a dead letter, where events are parsed.
                return NONE;
            }
        }
    }
}
