package roadside.flink;

/** Distances on the sphere. */
final class Geo {
    private static final double EARTH_RADIUS_KM = 6371.0088;

    private Geo() {}

    /** Returns the great-circle distance (haversine) of two positions in degrees. */
    static double distanceKm(double latA, double lonA, double latB, double lonB) {
        double phiA = Math.toRadians(latA);
        double phiB = Math.toRadians(latB);
        double sinLat = Math.sin((phiB - phiA) / 2);
        double sinLon = Math.sin(Math.toRadians(lonB - lonA) / 2);
        double h = sinLat * sinLat + Math.cos(phiA) * Math.cos(phiB) * sinLon * sinLon;
        return 2 * EARTH_RADIUS_KM * Math.asin(Math.sqrt(Math.min(1, h)));
    }
}
