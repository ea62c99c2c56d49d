package roadside.flink;

import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.utils.JoinedRowData;

/**
 * Adds the watermark to each row as its last field, and every {@code intervalMillis} a row of
 * nulls and the watermark, whether rows come or not.
 *
 * <p>The added rows take the way of all others to the writer, so a beacon that stops says that the
 * way is blocked, and one whose watermark stands still says that no events come. How far the
 * watermark is behind the clock is the metric {@code watermark_lag_ms} of the view.
 */
public final class Heartbeat extends AbstractStreamOperator<RowData>
        implements OneInputStreamOperator<RowData, RowData> {
    private static final long serialVersionUID = 1L;
    private static final long NO_EVENT_YET = -1;

    private final String view;
    private final long intervalMillis;
    private final int fieldCount;
    private transient volatile Long watermarkMillis;

    /**
     * @param view the view's name, for the metrics
     * @param intervalMillis time between two added rows, milliseconds
     * @param fieldCount how many fields a row has, without the watermark
     */
    Heartbeat(String view, long intervalMillis, int fieldCount) {
        this.view = view;
        this.intervalMillis = intervalMillis;
        this.fieldCount = fieldCount;
    }

    @Override
    public void open() throws Exception {
        super.open();
        // The managed service publishes what is in this group, and nothing else, to CloudWatch.
        getMetricGroup()
                .addGroup("kinesisanalytics")
                .addGroup("view", view)
                .gauge("watermark_lag_ms", this::lagMillis);
        scheduleNext();
    }

    private long lagMillis() {
        Long reached = watermarkMillis;
        return reached == null ? NO_EVENT_YET : System.currentTimeMillis() - reached;
    }

    private void scheduleNext() {
        long next = getProcessingTimeService().getCurrentProcessingTime() + intervalMillis;
        getProcessingTimeService().registerTimer(next, this::beat);
    }

    private void beat(long time) {
        output.collect(new StreamRecord<>(withWatermark(new GenericRowData(fieldCount))));
        scheduleNext();
    }

    private RowData withWatermark(RowData row) {
        return new JoinedRowData(row.getRowKind(), row, GenericRowData.of(watermarkMillis));
    }

    @Override
    public void processElement(StreamRecord<RowData> element) {
        output.collect(element.replace(withWatermark(element.getValue())));
    }

    @Override
    public void processWatermark(Watermark mark) throws Exception {
        watermarkMillis = mark.getTimestamp();
        super.processWatermark(mark);
    }
}
