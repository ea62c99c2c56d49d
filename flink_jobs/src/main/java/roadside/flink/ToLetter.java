package roadside.flink;

import org.apache.flink.api.common.functions.MapFunction;
import org.apache.flink.table.data.RowData;

/** Makes a dead letter of an event that shows by itself what is wrong with it. */
final class ToLetter implements MapFunction<RowData, RowData> {
    private static final long serialVersionUID = 1L;

    private final String source;
    private final int text;
    private final int problem;
    private final int receivedAt;

    ToLetter(Columns columns, String source) {
        this.source = source;
        this.text = columns.index("record_text");
        this.problem = columns.index("problem");
        this.receivedAt = columns.index("received_at");
    }

    @Override
    public RowData map(RowData row) {
        Problem found = Problem.parse(row.getString(problem).toString());
        return DeadLetters.row(
                source, row.getString(text), found, row.getTimestamp(receivedAt, 3));
    }
}
