package roadside.flink;

import java.util.ArrayList;
import java.util.List;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.BigIntType;
import org.apache.flink.table.types.logical.RowType;

/** The way of a view's rows, before and after the Python function that writes them to Redis. */
public final class ViewRows {
    /** The name of the column that {@link #withHeartbeat} adds. */
    public static final String WATERMARK = "watermark_ms";

    private ViewRows() {}

    /** Adds the rows that carry beacons; the watermark is the last column. */
    public static Table withHeartbeat(
            StreamTableEnvironment tables, Table rows, String view, long intervalMillis) {
        RowType type = RowStreams.type(rows);
        // A heartbeat is null in every column.
        List<RowType.RowField> fields = new ArrayList<>(RowStreams.nullable(type).getFields());
        fields.add(new RowType.RowField(WATERMARK, new BigIntType()));
        DataStream<RowData> beating =
                RowStreams.of(tables, rows)
                        .transform(
                                "heartbeat-" + view,
                                RowStreams.typeInfo(new RowType(fields)),
                                new Heartbeat(view, intervalMillis, type.getFieldCount()))
                        // The windows of all keys close together: while one thread makes their
                        // rows, another writes them.
                        .startNewChain();
        return RowStreams.table(tables, beating);
    }

    /**
     * Takes out the heartbeats again, which the writer answers with null, and measures how old
     * each row's newest event was when the row could be read.
     */
    public static Table served(
            StreamTableEnvironment tables, Table written, String view, String answer) {
        Columns columns = new Columns(RowStreams.type(written));
        DataStream<RowData> rows = RowStreams.of(tables, written);
        int answered = columns.index(answer);
        DataStream<RowData> served =
                rows.filter(row -> !row.isNullAt(answered))
                        .name("rows-" + view)
                        .map(new Delay(view, columns.index("observed_ts")))
                        .returns(rows.getType())
                        .name("delay-" + view);
        return RowStreams.table(tables, served);
    }

    /** Ends the way of rows that are kept nowhere else. */
    public static void discard(StreamTableEnvironment tables, Table rows) {
        RowStreams.of(tables, rows).sinkTo(new DiscardingSink<>()).name("end");
    }
}
