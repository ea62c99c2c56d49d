package roadside.flink;

import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.RowType;
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
     * @param key the column whose events are judged beside each other
     * @param maxSpeedKph between two fixes, for a stream of positions; else 0
     * @param maxAgeMillis how old an event can be when it comes; a key silent for so long is forgotten
     */
    public static CheckedEvents ofWindows(
            StreamTableEnvironment tables,
            Table events,
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
                events,
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
     * @param severalAtOnce whether a key can have several events of one time
     * @param maxAgeMillis how old an event, and so a copy of one, can be when it comes
     */
    public static CheckedEvents ofChanges(
            StreamTableEnvironment tables,
            Table events,
            String source,
            String key,
            boolean severalAtOnce,
            long maxAgeMillis) {
        return check(
                tables,
                events,
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
            Table events,
            String source,
            String key,
            boolean severalAtOnce,
            Lateness lateness,
            long rememberMillis,
            double maxSpeedKph,
            long maxAgeMillis) {
        DataStream<RowData> rows = RowStreams.of(tables, events);
        TypeInformation<RowData> type = rows.getType();
        RowType rowType = RowStreams.type(events);
        Columns columns = new Columns(rowType);
        int problem = columns.index("problem");
        int keyed = columns.index(key);
        TypeInformation<RowData> letters = RowStreams.typeInfo(DeadLetters.TYPE);
        OutputTag<RowData> refusedTag = new OutputTag<>("refused", letters);
        SingleOutputStreamOperator<RowData> valid =
                rows.filter(row -> row.isNullAt(problem))
                        .name(source + ": well-formed")
                        .keyBy(row -> row.getString(keyed).toString())
                        .process(
                                new InOrder(
                                        new InOrder.EventLayout(
                                                columns, source, severalAtOnce, maxSpeedKph > 0),
                                        lateness,
                                        rememberMillis,
                                        maxSpeedKph,
                                        Math.max(rememberMillis, maxAgeMillis),
                                        type,
                                        refusedTag))
                        .returns(type)
                        .name(source + ": in order")
                        .uid("in-order-" + source);
        DataStream<RowData> broken =
                rows.filter(row -> !row.isNullAt(problem))
                        .name(source + ": broken")
                        .map(new ToLetter(columns, source))
                        .returns(letters)
                        .name(source + ": to letter");
        return new CheckedEvents(tables, valid, broken.union(valid.getSideOutput(refusedTag)));
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
