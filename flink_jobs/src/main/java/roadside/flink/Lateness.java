package roadside.flink;

import java.io.Serializable;

/** What becomes of an event that comes after the watermark has passed it. */
final class Lateness implements Serializable {
    private static final long serialVersionUID = 1L;
    private static final long SECOND_MS = 1000;

    private final long windowMillis;
    private final long slideMillis;

    private Lateness(long windowMillis, long slideMillis) {
        this.windowMillis = windowMillis;
        this.slideMillis = slideMillis;
    }

    /** For sliding windows: it counts in those still open, and is too late when there is none. */
    static Lateness ofWindows(long windowMillis, long slideMillis) {
        return new Lateness(windowMillis, slideMillis);
    }

    /** For a state that changes: it counts from when it comes, since an old word beats none. */
    static Lateness ofChanges() {
        return new Lateness(0, 0);
    }

    private boolean isOfChanges() {
        return windowMillis == 0;
    }

    /**
     * Returns the watermark at which an event is judged: its own time or, for windows, the end of
     * its second. No window ends within a second, and one timer serves all that wait for it.
     */
    long turn(long ts) {
        return isOfChanges() ? ts : Math.floorDiv(ts, SECOND_MS) * SECOND_MS + SECOND_MS - 1;
    }

    /** Returns the watermark at which the last window with an event closes. */
    long closes(long ts) {
        return Math.floorDiv(ts, slideMillis) * slideMillis + windowMillis - 1;
    }

    boolean isTooLate(long ts, long watermark) {
        return !isOfChanges() && closes(ts) <= watermark;
    }

    Problem problem(long ts, long watermark) {
        double seconds = (watermark - closes(ts)) / 1000.0;
        return new Problem(
                "late", String.format("came %.1f s after its last window had closed", seconds));
    }

    /** Returns the time at which an event that is late counts: for changes, the first still open. */
    long countedAt(long ts, long watermark) {
        return isOfChanges() ? Math.max(ts, watermark + 1) : ts;
    }
}
