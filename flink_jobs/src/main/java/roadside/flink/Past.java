package roadside.flink;

import java.util.Arrays;

/**
 * What is remembered of one key: the events of the last minutes, and where the truck was.
 *
 * <p>The fields are public for Flink's serializer.
 */
public final class Past {
    private static final double MS_PER_HOUR = 3_600_000.0;

    public long[] times = new long[0];
    public int[] digests = new int[0];
    /** The event time at which it is asked whether the key is silent. */
    public long forgetAt;
    public Fix last;
    /** The fix that was refused last: were it wrong, the next would not be near it. */
    public Fix doubted;

    /** A position: epoch ms, degrees, metres. */
    public static final class Fix {
        public long ts;
        public double lat;
        public double lon;
        public double accuracyM;

        public Fix() {}

        Fix(long ts, double lat, double lon, double accuracyM) {
            this.ts = ts;
            this.lat = lat;
            this.lon = lon;
            this.accuracyM = accuracyM;
        }
    }

    /**
     * Remembers an event, and forgets those that are older than the newest by more than a span.
     *
     * @param digest of the event's text; or always 0, where a key has one event at a time
     * @return why it is refused, or null
     */
    Problem copy(long ts, int digest, long spanMillis) {
        for (int i = times.length - 1; i >= 0; i--) {
            if (times[i] == ts && digests[i] == digest) {
                return new Problem("duplicate", "one of the same key and time came before");
            }
        }
        remember(ts, digest, spanMillis);
        return null;
    }

    private void remember(long ts, int digest, long spanMillis) {
        long newest = Math.max(ts, newest());
        int kept = 0;
        long[] newTimes = new long[times.length + 1];
        int[] newDigests = new int[times.length + 1];
        for (int i = 0; i < times.length; i++) {
            if (times[i] >= newest - spanMillis) {
                newTimes[kept] = times[i];
                newDigests[kept++] = digests[i];
            }
        }
        newTimes[kept] = ts;
        newDigests[kept++] = digest;
        times = Arrays.copyOf(newTimes, kept);
        digests = Arrays.copyOf(newDigests, kept);
    }

    /** Returns the time of the newest event that is remembered. */
    long newest() {
        long newest = Long.MIN_VALUE;
        for (long time : times) {
            newest = Math.max(newest, time);
        }
        return newest;
    }

    /**
     * Takes a fix as the truck's position, unless no truck could have got there.
     *
     * <p>A second fix that agrees with the one just refused is believed: then the earlier position
     * was the wrong one, or the truck was carried.
     *
     * @return why the fix is refused, or null
     */
    Problem move(Fix fix, double maxKph) {
        double kph = last == null ? 0 : speedKph(last, fix);
        if (kph > maxKph && (doubted == null || speedKph(doubted, fix) > maxKph)) {
            doubted = fix;
            String reason =
                    String.format(
                            "%.0f km/h from the fix before it (%.5f, %.5f at %d); at most %.0f is possible",
                            Math.min(kph, 1e6), last.lat, last.lon, last.ts, maxKph);
            return new Problem("impossible_speed", reason);
        }
        doubted = null;
        if (last == null || fix.ts >= last.ts) {
            last = fix;
        }
        return null;
    }

    /** Returns the least speed between two fixes, given how inexact each may be. */
    private static double speedKph(Fix a, Fix b) {
        double km =
                Geo.distanceKm(a.lat, a.lon, b.lat, b.lon) - (a.accuracyM + b.accuracyM) / 1000;
        return km <= 0 ? 0 : km / (Math.abs(b.ts - a.ts) / MS_PER_HOUR);
    }
}
