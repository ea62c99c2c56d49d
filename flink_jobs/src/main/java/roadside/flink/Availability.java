package roadside.flink;

import java.util.Arrays;
import java.util.Objects;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.annotation.FunctionHint;
import org.apache.flink.table.functions.AggregateFunction;
import org.apache.flink.types.Row;

/**
 * {@code availability(ts, kind, event_id, status, active_jobs, capacity, shift_end_ts)}: what a
 * provider said of itself last, and its offers and answers of the last 30 and 60 minutes.
 *
 * <p>It runs over the provider's events in the order in which they count, unbounded, because a
 * status holds until the next one however long ago it was said; the offers and answers it keeps
 * for one hour. An event that came late counts after newer ones: it adds what they did not say,
 * and never puts an older word over a newer one. One
 * pass does what SQL would need one OVER window each for (the last status, where its run began,
 * 30 and 60 minutes), as a query may have only one.
 */
@FunctionHint(
        output =
                @DataTypeHint(
                        "ROW<ts BIGINT, status STRING, active_jobs INT, free_capacity INT,"
                                + " status_ts BIGINT, status_since_ts BIGINT,"
                                + " shift_end_ts BIGINT,"
                                + " offers_30m INT, accepts_30m INT, declines_30m INT,"
                                + " offers_1h INT, accepts_1h INT, declines_1h INT>"))
public final class Availability extends AggregateFunction<Row, Availability.State> {
    private static final long serialVersionUID = 1L;
    private static final long HALF_HOUR_MS = 30 * 60 * 1000L;
    private static final long HOUR_MS = 2 * HALF_HOUR_MS;
    private static final String[] COUNTED = {"offer", "accept", "decline"};

    /** What is known of one provider. The arrays have one element a dispatch event. */
    public static final class State {
        public Long newestTs;
        public String status;
        public Long statusTs;
        public Long statusSinceTs;
        public Integer activeJobs;
        public Integer capacity;
        public Long shiftEndTs;
        public long[] dispatchTs = new long[0];
        public int[] dispatchKind = new int[0];
        public String[] dispatchEvent = new String[0];
    }

    @Override
    public State createAccumulator() {
        return new State();
    }

    /** Adds one event; a null {@code kind} is the provider's own word on its state. */
    public void accumulate(
            State state,
            Long ts,
            String kind,
            String eventId,
            String status,
            Integer activeJobs,
            Integer capacity,
            Long shiftEndTs) {
        state.newestTs = state.newestTs == null ? ts : Math.max(state.newestTs, ts);
        if (kind == null) {
            if (state.statusTs != null && ts < state.statusTs) {
                return;
            }
            if (!Objects.equals(status, state.status)) {
                state.statusSinceTs = ts;
            }
            state.status = status;
            state.statusTs = ts;
            state.activeJobs = activeJobs;
            state.capacity = capacity;
            state.shiftEndTs = shiftEndTs;
        } else {
            addDispatch(state, ts, Arrays.asList(COUNTED).indexOf(kind), eventId);
        }
    }

    private static void addDispatch(State state, long ts, int kind, String eventId) {
        int from = firstAfter(state, state.newestTs - HOUR_MS);
        int count = state.dispatchTs.length;
        int at = Math.max(from, firstAfter(state, ts));
        for (int i = from; i < at; i++) {
            if (state.dispatchTs[i] == ts
                    && state.dispatchKind[i] == kind
                    && state.dispatchEvent[i].equals(eventId)) {
                return;
            }
        }
        int size = count - from + 1;
        long[] newTs = new long[size];
        int[] newKind = new int[size];
        String[] newEvent = new String[size];
        moveInto(state.dispatchTs, from, at, count, newTs);
        moveInto(state.dispatchKind, from, at, count, newKind);
        moveInto(state.dispatchEvent, from, at, count, newEvent);
        newTs[at - from] = ts;
        newKind[at - from] = kind;
        newEvent[at - from] = eventId;
        state.dispatchTs = newTs;
        state.dispatchKind = newKind;
        state.dispatchEvent = newEvent;
    }

    /** Copies {@code [from, count)} of an array, leaving a gap of one for what comes at {@code at}. */
    private static void moveInto(Object old, int from, int at, int count, Object copy) {
        System.arraycopy(old, from, copy, 0, at - from);
        System.arraycopy(old, at, copy, at - from + 1, count - at);
    }

    /** Returns the index of the first dispatch event later than {@code ts}. */
    private static int firstAfter(State state, long ts) {
        int index = 0;
        while (index < state.dispatchTs.length && state.dispatchTs[index] <= ts) {
            index++;
        }
        return index;
    }

    @Override
    public Row getValue(State state) {
        if (state.newestTs == null) {
            return null;
        }
        int[] halfHour = countAfter(state, state.newestTs - HALF_HOUR_MS);
        int[] hour = countAfter(state, state.newestTs - HOUR_MS);
        Integer free =
                state.capacity == null ? null : Math.max(0, state.capacity - state.activeJobs);
        return Row.of(
                state.newestTs,
                state.status,
                state.activeJobs,
                free,
                state.statusTs,
                state.statusSinceTs,
                state.shiftEndTs,
                halfHour[0],
                halfHour[1],
                halfHour[2],
                hour[0],
                hour[1],
                hour[2]);
    }

    private static int[] countAfter(State state, long ts) {
        int[] counts = new int[COUNTED.length];
        for (int i = firstAfter(state, ts); i < state.dispatchTs.length; i++) {
            counts[state.dispatchKind[i]]++;
        }
        return counts;
    }
}
