package roadside.flink;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;

/**
 * Judges the events of one key in order of time: what a single event does not show.
 *
 * <p>An event waits until the watermark has passed it, so that it is judged beside its neighbours
 * in time and not in the order in which the network brought them; the windows behind wait for the
 * same watermark, so this costs no time. It is refused when it is a copy of one that came, when no
 * truck could have got there from the last accepted fix, or when all of its windows have closed.
 */
final class InOrder extends KeyedProcessFunction<String, RowData, RowData> {
    private static final long serialVersionUID = 1L;

    private final EventLayout layout;
    private final Lateness lateness;
    private final long rememberMillis;
    private final double maxSpeedKph;
    private final long forgetMillis;
    private final TypeInformation<RowData> rowType;
    private final OutputTag<RowData> refused;

    private transient ListState<RowData> waiting;
    private transient ValueState<Past> past;

    InOrder(
            EventLayout layout,
            Lateness lateness,
            long rememberMillis,
            double maxSpeedKph,
            long forgetMillis,
            TypeInformation<RowData> rowType,
            OutputTag<RowData> refused) {
        this.layout = layout;
        this.lateness = lateness;
        this.rememberMillis = rememberMillis;
        this.maxSpeedKph = maxSpeedKph;
        this.forgetMillis = forgetMillis;
        this.rowType = rowType;
        this.refused = refused;
    }

    @Override
    public void open(OpenContext context) {
        ListStateDescriptor<RowData> rows = new ListStateDescriptor<>("waiting", rowType);
        ValueStateDescriptor<Past> known = new ValueStateDescriptor<>("past", Past.class);
        waiting = getRuntimeContext().getListState(rows);
        past = getRuntimeContext().getState(known);
    }

    @Override
    public void processElement(RowData row, Context context, Collector<RowData> out)
            throws Exception {
        long ts = layout.ts(row);
        long watermark = context.timerService().currentWatermark();
        long turn = lateness.turn(ts);
        if (turn > watermark) {
            waiting.add(row);
            context.timerService().registerEventTimeTimer(turn);
        } else if (lateness.isTooLate(ts, watermark)) {
            context.output(refused, layout.refuse(row, lateness.problem(ts, watermark)));
        } else {
            judge(List.of(row), context, out, lateness.countedAt(ts, watermark));
        }
    }

    @Override
    public void onTimer(long timestamp, OnTimerContext context, Collector<RowData> out)
            throws Exception {
        List<RowData> due = new ArrayList<>();
        List<RowData> rest = new ArrayList<>();
        for (RowData row : waiting.get()) {
            (layout.ts(row) <= timestamp ? due : rest).add(row);
        }
        waiting.update(rest);
        // Of one time, by text: which of them comes first must not depend on the network.
        due.sort(Comparator.comparingLong(layout::ts).thenComparing(layout::text));
        judge(due, context, out, Long.MIN_VALUE);
        forget(timestamp, context);
    }

    /** Forgets a key that is silent. Flink's own time-to-live looks for such keys at every access. */
    private void forget(long timestamp, Context context) throws Exception {
        Past known = past.value();
        if (known == null || timestamp < known.forgetAt) {
            return;
        }
        known.forgetAt = known.newest() + forgetMillis;
        if (known.forgetAt <= timestamp) {
            past.clear();
        } else {
            past.update(known);
            context.timerService().registerEventTimeTimer(known.forgetAt);
        }
    }

    private void judge(List<RowData> rows, Context context, Collector<RowData> out, long countedAt)
            throws Exception {
        if (rows.isEmpty()) {
            return;
        }
        Past known = past.value();
        if (known == null) {
            known = new Past();
            long now = context.timerService().currentWatermark();
            known.forgetAt = Math.max(now, layout.ts(rows.get(0))) + forgetMillis;
            context.timerService().registerEventTimeTimer(known.forgetAt);
        }
        for (RowData row : rows) {
            long ts = layout.ts(row);
            Problem problem = known.copy(ts, layout.digest(row), rememberMillis);
            if (problem == null && layout.hasPosition()) {
                problem = known.move(layout.fix(row), maxSpeedKph);
            }
            if (problem != null) {
                context.output(refused, layout.refuse(row, problem));
            } else {
                out.collect(ts >= countedAt ? row : layout.countedAt(row, countedAt));
            }
        }
        past.update(known);
    }

    /** Where an event's parts are in its row. */
    static final class EventLayout implements java.io.Serializable {
        private static final long serialVersionUID = 1L;

        private final Columns columns;
        private final String source;
        private final int ts;
        private final int text;
        private final int eventTime;
        private final int countedTs;
        private final int receivedAt;
        private final boolean severalAtOnce;
        private final int[] position;

        EventLayout(Columns columns, String source, boolean severalAtOnce, boolean hasPosition) {
            this.columns = columns;
            this.source = source;
            this.ts = columns.index("ts");
            this.text = columns.index("record_text");
            this.eventTime = columns.index("event_time");
            this.countedTs = columns.index("counted_ts");
            this.receivedAt = columns.index("received_at");
            this.severalAtOnce = severalAtOnce;
            this.position =
                    hasPosition
                            ? new int[] {
                                columns.index("lat"), columns.index("lon"), columns.index("accuracy_m")
                            }
                            : null;
        }

        long ts(RowData row) {
            return row.getLong(ts);
        }

        StringData text(RowData row) {
            return row.getString(text);
        }

        /** What tells two events of one key and time apart, where there can be two. */
        int digest(RowData row) {
            return severalAtOnce ? text(row).hashCode() : 0;
        }

        boolean hasPosition() {
            return position != null;
        }

        Past.Fix fix(RowData row) {
            return new Past.Fix(
                    ts(row),
                    row.getDouble(position[0]),
                    row.getDouble(position[1]),
                    row.getDouble(position[2]));
        }

        RowData countedAt(RowData row, long millis) {
            GenericRowData copy = columns.copy(row);
            copy.setField(eventTime, TimestampData.fromEpochMillis(millis));
            copy.setField(countedTs, millis);
            return copy;
        }

        RowData refuse(RowData row, Problem problem) {
            return DeadLetters.row(source, text(row), problem, row.getTimestamp(receivedAt, 3));
        }
    }
}
