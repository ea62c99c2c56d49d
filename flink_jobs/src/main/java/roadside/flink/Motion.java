package roadside.flink;

import java.util.Arrays;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.annotation.FunctionHint;
import org.apache.flink.table.functions.AggregateFunction;
import org.apache.flink.types.Row;

/**
 * {@code motion(ts, lat, lon, speed_kph, heading_deg)}: how a provider moved over a window.
 *
 * <p>It keeps the window's fixes in order of time, one for each {@code ts}: SQL has no aggregate
 * that is both of the newest row and mergeable, as sliding windows need, and the distance needs
 * the order.
 */
@FunctionHint(
        output =
                @DataTypeHint(
                        "ROW<ts BIGINT, lat DOUBLE, lon DOUBLE, heading_deg DOUBLE,"
                                + " speed_mean_kph DOUBLE, speed_max_kph DOUBLE,"
                                + " distance_km DOUBLE, ping_count INT, moving_share DOUBLE>"))
public final class Motion extends AggregateFunction<Row, Motion.Fixes> {
    private static final long serialVersionUID = 1L;
    private static final double MOVING_KPH = 5.0;
    private static final int WIDTH = 4;
    private static final int LAT = 0;
    private static final int LON = 1;
    private static final int SPEED = 2;
    private static final int HEADING = 3;

    /** The window's fixes in ascending {@code ts}; {@code values} has four numbers a fix. */
    public static final class Fixes {
        public long[] ts = new long[0];
        public double[] values = new double[0];
    }

    @Override
    public Fixes createAccumulator() {
        return new Fixes();
    }

    /** Adds one fix. */
    public void accumulate(
            Fixes fixes, Long ts, Double lat, Double lon, Double speedKph, Double headingDeg) {
        insert(fixes, ts, new double[] {lat, lon, speedKph, headingDeg}, 0);
    }

    /** Joins the fixes of other slices of the window. */
    public void merge(Fixes fixes, Iterable<Fixes> others) {
        for (Fixes other : others) {
            for (int i = 0; i < other.ts.length; i++) {
                insert(fixes, other.ts[i], other.values, i * WIDTH);
            }
        }
    }

    private static void insert(Fixes fixes, long ts, double[] values, int from) {
        // Never one that is there: a provider's second fix of one time was refused before.
        int at = -Arrays.binarySearch(fixes.ts, ts) - 1;
        int count = fixes.ts.length;
        long[] newTs = Arrays.copyOf(fixes.ts, count + 1);
        System.arraycopy(fixes.ts, at, newTs, at + 1, count - at);
        newTs[at] = ts;
        double[] newValues = Arrays.copyOf(fixes.values, (count + 1) * WIDTH);
        System.arraycopy(fixes.values, at * WIDTH, newValues, (at + 1) * WIDTH, (count - at) * WIDTH);
        System.arraycopy(values, from, newValues, at * WIDTH, WIDTH);
        fixes.ts = newTs;
        fixes.values = newValues;
    }

    @Override
    public Row getValue(Fixes fixes) {
        int count = fixes.ts.length;
        if (count == 0) {
            return null;
        }
        double speedSum = 0;
        double speedMax = Double.NEGATIVE_INFINITY;
        double distanceKm = 0;
        int moving = 0;
        for (int i = 0; i < count; i++) {
            double speed = fixes.values[i * WIDTH + SPEED];
            speedSum += speed;
            speedMax = Math.max(speedMax, speed);
            moving += speed > MOVING_KPH ? 1 : 0;
            distanceKm += i == 0 ? 0 : distanceKm(fixes.values, (i - 1) * WIDTH, i * WIDTH);
        }
        int last = (count - 1) * WIDTH;
        return Row.of(
                fixes.ts[count - 1],
                fixes.values[last + LAT],
                fixes.values[last + LON],
                fixes.values[last + HEADING],
                speedSum / count,
                speedMax,
                distanceKm,
                count,
                (double) moving / count);
    }

    private static double distanceKm(double[] values, int a, int b) {
        return Geo.distanceKm(values[a + LAT], values[a + LON], values[b + LAT], values[b + LON]);
    }
}
