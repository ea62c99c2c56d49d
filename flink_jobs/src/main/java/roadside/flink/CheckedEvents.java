package roadside.flink;

import java.util.List;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.table.data.RowData;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;

/**
 * One stream's events after every check: those that count, and the dead letters.
 *
 * <p>The events come with what each shows by itself ({@code problem}, null when nothing is
 * wrong); what only its neighbours show is judged here, by {@link InOrder}.
 */
public final class CheckedEvents {
    private final StreamTableEnvironment tables;
    private final SingleOutputStreamOperator<RowData> valid;
    private final DataStream<RowData> refused;

    private CheckedEvents(
            StreamTableEnvironment tables,
            SingleOutputStreamOperator<RowData> valid,
            DataStream<RowData> refused) {
        this.tables = tables;
        this.valid = valid;
        this.refused = refused;
    }

    /**
     * Checks a stream whose events are counted in sliding windows.
     *
     * @param rows the stream's events
     * @param beside the rows of streams that a view reads together with this one
     * @param type the table of the rows
     * @param key the column whose events are judged beside each other
     * @param maxSpeedKph between two fixes, for a stream of positions; else 0
     * @param maxAgeMillis how old an event can be when it comes; a key silent for so long is forgotten
     */
    public static CheckedEvents ofWindows(
            StreamTableEnvironment tables,
            DataStream<RowData> rows,
            List<DataStream<RowData>> beside,
            Table type,
            String source,
            String key,
            long windowMillis,
            long slideMillis,
            double maxSpeedKph,
            long maxAgeMillis) {
        Lateness lateness = Lateness.ofWindows(windowMillis, slideMillis);
        // A copy that comes later than this is late, whether or not it is known for a copy.
        long remember = windowMillis + slideMillis;
        return check(
                tables,
                rows,
                beside,
                type,
                source,
                key,
                false,
                lateness,
                remember,
                maxSpeedKph,
                maxAgeMillis);
    }

    /**
     * Checks a stream of changes, which count however late they come.
     *
     * @param rows the stream's events
     * @param beside the rows of streams that a view reads together with this one
     * @param type the table of the rows
     * @param severalAtOnce whether a key can have several events of one time
     * @param maxAgeMillis how old an event, and so a copy of one, can be when it comes
     */
    public static CheckedEvents ofChanges(
            StreamTableEnvironment tables,
            DataStream<RowData> rows,
            List<DataStream<RowData>> beside,
            Table type,
            String source,
            String key,
            boolean severalAtOnce,
            long maxAgeMillis) {
        return check(
                tables,
                rows,
                beside,
                type,
                source,
                key,
                severalAtOnce,
                Lateness.ofChanges(),
                maxAgeMillis,
                0,
                maxAgeMillis);
    }

    private static CheckedEvents check(
            StreamTableEnvironment tables,
            DataStream<RowData> rows,
            List<DataStream<RowData>> beside,
            Table type,
            String source,
            String key,
            boolean severalAtOnce,
            Lateness lateness,
            long rememberMillis,
            double maxSpeedKph,
            long maxAgeMillis) {
        TypeInformation<RowData> form = rows.getType();
        Columns columns = new Columns(RowStreams.type(type));
        int problem = columns.index("problem");
        int keyed = columns.index(key);
        TypeInformation<RowData> letters = RowStreams.typeInfo(DeadLetters.TYPE);
        OutputTag<RowData> refusedTag = new OutputTag<>("refused", letters);
        InOrder inOrder =
                new InOrder(
                        new InOrder.EventLayout(columns, source, severalAtOnce, maxSpeedKph > 0),
                        lateness,
                        rememberMillis,
                        maxSpeedKph,
                        Math.max(rememberMillis, maxAgeMillis),
                        form,
                        refusedTag);
        DataStream<RowData> wellFormed =
                rows.filter(row -> row.isNullAt(problem)).name(source + ": well-formed");
        SingleOutputStreamOperator<RowData> valid =
                withTimeOf(beside, wellFormed)
                        .keyBy(row -> row.getString(keyed).toString())
                        .transform(source + ": in order", form, new InOrderOperator(inOrder))
                        .uid("in-order-" + source);
        DataStream<RowData> broken =
                rows.filter(row -> !row.isNullAt(problem))
                        .name(source + ": broken")
                        .map(new ToLetter(columns, source))
                        .returns(letters)
                        .name(source + ": to letter");
        return new CheckedEvents(tables, valid, broken.union(valid.getSideOutput(refusedTag)));
    }

    /**
     * Returns a stream whose time is also that of others: of it and them, those that are not idle.
     *
     * <p>Or the last events before a silence of one stream would wait for its next event, while the
     * view has gone on with the other.
     */
    private static DataStream<RowData> withTimeOf(
            List<DataStream<RowData>> others, DataStream<RowData> rows) {
        DataStream<RowData> timed = rows;
        for (DataStream<RowData> other : others) {
            timed =
                    timed.union(
                            other.flatMap((RowData row, Collector<RowData> out) -> {})
                                    .returns(rows.getType())
                                    .name("its time only"));
        }
        return timed;
    }

    /** The events that count, with {@code event_time} as their event time. */
    public Table valid() {
        return RowStreams.table(tables, valid, "event_time");
    }

    /** The dead letters: source, record_text, code, reason, received_ts. */
    public DataStream<RowData> refused() {
        return refused;
    }
}
