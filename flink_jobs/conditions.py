"""``cell_conditions``: weather and traffic of each cell over the last five minutes."""

from flink_jobs.event_schemas import TRAFFIC, WEATHER
from flink_jobs.settings import CONDITIONS_WINDOW_S, EventTime
from flink_jobs.validation import interval, window_made_ms

INPUTS = (WEATHER, TRAFFIC)


def query(times: EventTime) -> str:
    """Return the view's SQL: one row a cell and slide, of windows of five minutes.

    The inner grouping gives each observation its windows as columns, which halving a window by
    the observation's time needs. What no observation in the window speaks of is null.
    """
    newer_half = f"observed_time >= window_end - {interval(CONDITIONS_WINDOW_S / 2)}"
    return f"""
SELECT cell, MAX(ts) AS observed_ts, {window_made_ms(times.out_of_order_s)} AS made_ts,
  AVG(precip_mm_h) AS precip_mm_h, MAX(snow_cm) AS snow_cm, AVG(temp_c) AS temp_c,
  MIN(visibility_km) AS visibility_km, MAX(wind_kph) AS wind_kph, MAX(alert_level) AS alert_level,
  AVG(speed_ratio) AS speed_ratio_mean,
  AVG(CASE WHEN {newer_half} THEN speed_ratio END)
    - AVG(CASE WHEN NOT ({newer_half}) THEN speed_ratio END) AS speed_ratio_trend,
  MAX(incidents) AS incidents, MAX(closures) AS closures
FROM (
  SELECT cell, ts, source, window_start, window_end, window_time,
    CAST(TO_TIMESTAMP_LTZ(ts, 3) AS TIMESTAMP(3)) AS observed_time,
    MAX(precip_mm_h) AS precip_mm_h, MAX(snow_cm) AS snow_cm, MAX(temp_c) AS temp_c,
    MIN(visibility_km) AS visibility_km, MAX(wind_kph) AS wind_kph,
    MAX(alert_level) AS alert_level, MAX(speed_ratio) AS speed_ratio,
    MAX(incidents) AS incidents, MAX(closures) AS closures
  FROM TABLE(HOP(TABLE cell_observations, DESCRIPTOR(event_time),
    {interval(times.conditions_slide_s)}, {interval(CONDITIONS_WINDOW_S)}))
  GROUP BY cell, ts, source, window_start, window_end, window_time
)
GROUP BY cell, window_start, window_end, window_time"""


OBSERVATIONS = """
CREATE TEMPORARY VIEW cell_observations AS
SELECT 'weather' AS source, cell, ts, event_time, precip_mm_h, snow_cm, temp_c, wind_kph,
  visibility_km, alert_level, CAST(NULL AS DOUBLE) AS speed_ratio, CAST(NULL AS INT) AS incidents,
  CAST(NULL AS INT) AS closures
FROM weather
UNION ALL
SELECT 'traffic', cell, ts, event_time, CAST(NULL AS DOUBLE), CAST(NULL AS DOUBLE),
  CAST(NULL AS DOUBLE), CAST(NULL AS DOUBLE), CAST(NULL AS DOUBLE), CAST(NULL AS INT),
  speed_ratio, incidents, closures
FROM traffic"""
"""The view that ``query`` reads: a window function takes one table."""
