"""``provider_motion``: how each provider moved over the last two minutes."""

from feature_repo.schema import H3_RESOLUTION
from flink_jobs.event_schemas import PROVIDER_GPS
from flink_jobs.settings import MOTION_WINDOW_S, EventTime
from flink_jobs.validation import interval, window_made_ms

INPUTS = (PROVIDER_GPS,)


def query(times: EventTime) -> str:
    """Return the view's SQL: one row a provider and slide, of windows of two minutes."""
    return f"""
SELECT provider_id, m.ts AS observed_ts, made_ts, m.lat AS lat, m.lon AS lon,
  m.heading_deg AS heading_deg,
  m.speed_mean_kph AS speed_mean_kph, m.speed_max_kph AS speed_max_kph,
  m.distance_km AS distance_km, m.ping_count AS ping_count, m.moving_share AS moving_share,
  h3_cell(m.lat, m.lon, {H3_RESOLUTION}) AS h3_cell
FROM (
  SELECT provider_id, {window_made_ms(times.out_of_order_s)} AS made_ts,
    motion(ts, lat, lon, speed_kph, heading_deg) AS m
  FROM TABLE(HOP(TABLE provider_gps, DESCRIPTOR(event_time),
    {interval(times.motion_slide_s)}, {interval(MOTION_WINDOW_S)}))
  GROUP BY provider_id, window_start, window_end, window_time
)"""
