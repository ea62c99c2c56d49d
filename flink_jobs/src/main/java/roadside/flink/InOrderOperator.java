package roadside.flink;

import org.apache.flink.streaming.api.operators.KeyedProcessOperator;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.apache.flink.table.data.RowData;

/**
 * Runs {@link InOrder}, and never calls itself idle.
 *
 * <p>Its watermark leaves out idle streams already. Were it called idle, those behind it would go on
 * without the events that wait here, take their time for passed, and drop them without a word.
 */
final class InOrderOperator extends KeyedProcessOperator<String, RowData, RowData> {
    private static final long serialVersionUID = 1L;

    InOrderOperator(InOrder inOrder) {
        super(inOrder);
    }

    @Override
    public void processWatermarkStatus(WatermarkStatus status) {
        // Kept from those behind it; the input has left the idle stream out of the watermark.
    }
}
