package roadside.flink;

import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.metrics.Histogram;
import org.apache.flink.runtime.metrics.DescriptiveStatisticsHistogram;
import org.apache.flink.table.data.RowData;

/** Measures {@code event_to_redis_ms}: the clock, when a row is written, less its newest event. */
final class Delay extends RichMapFunction<RowData, RowData> {
    private static final long serialVersionUID = 1L;
    private static final int ROWS = 4096;

    private final String view;
    private final int observedTs;
    private transient Histogram delayMillis;

    Delay(String view, int observedTs) {
        this.view = view;
        this.observedTs = observedTs;
    }

    @Override
    public void open(OpenContext context) {
        delayMillis =
                getRuntimeContext()
                        .getMetricGroup()
                        .addGroup("view", view)
                        .histogram("event_to_redis_ms", new DescriptiveStatisticsHistogram(ROWS));
    }

    @Override
    public RowData map(RowData row) {
        delayMillis.update(System.currentTimeMillis() - row.getLong(observedTs));
        return row;
    }
}
