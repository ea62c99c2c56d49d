package roadside.flink;

import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.types.Row;

/**
 * Passes rows on with the watermark in their last field, and adds a row of nulls and the watermark
 * every {@code intervalMillis}, whether rows come or not.
 *
 * <p>The added rows take the way of all others to the writer, so a beacon that stops says that the
 * way is blocked, and one whose watermark stands still says that no events come.
 */
public final class Heartbeat extends AbstractStreamOperator<Row>
        implements OneInputStreamOperator<Row, Row> {
    private static final long serialVersionUID = 1L;

    private final long intervalMillis;
    private final int fieldCount;
    private transient Long watermarkMillis;

    /**
     * @param intervalMillis time between two added rows, milliseconds
     * @param fieldCount how many fields a row has, with the last one for the watermark
     */
    public Heartbeat(long intervalMillis, int fieldCount) {
        this.intervalMillis = intervalMillis;
        this.fieldCount = fieldCount;
    }

    @Override
    public void open() throws Exception {
        super.open();
        scheduleNext();
    }

    private void scheduleNext() {
        long next = getProcessingTimeService().getCurrentProcessingTime() + intervalMillis;
        getProcessingTimeService().registerTimer(next, this::beat);
    }

    private void beat(long time) {
        Row row = new Row(fieldCount);
        row.setField(fieldCount - 1, watermarkMillis);
        output.collect(new StreamRecord<>(row));
        scheduleNext();
    }

    @Override
    public void processElement(StreamRecord<Row> element) {
        element.getValue().setField(fieldCount - 1, watermarkMillis);
        output.collect(element);
    }

    @Override
    public void processWatermark(Watermark mark) throws Exception {
        watermarkMillis = mark.getTimestamp();
        super.processWatermark(mark);
    }
}
