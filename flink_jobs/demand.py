"""``cell_demand``: requests for help in each cell over 15 and 60 minutes, and those still open."""

from flink_jobs.event_schemas import DISPATCH_EVENTS
from flink_jobs.settings import DEMAND_RECENT_S, DEMAND_WINDOW_S, EventTime
from flink_jobs.validation import interval, window_made_ms

INPUTS = (DISPATCH_EVENTS,)


def query(times: EventTime) -> str:
    """Return the view's SQL: one row a slide for each cell with a request in the last hour.

    The inner grouping follows each request, so that an event that came twice counts once, and a
    request whose end is in the window but whose beginning is not does not count as minus one.
    """
    recent = f"requested_time >= window_end - {interval(DEMAND_RECENT_S)}"
    return f"""
SELECT cell, MAX(newest_ts) AS observed_ts,
  {window_made_ms(times.changes_out_of_order_s)} AS made_ts,
  CAST(SUM(CASE WHEN {recent} THEN 1 ELSE 0 END) AS INT) AS requests_15m,
  CAST(SUM(CASE WHEN requested_time IS NOT NULL THEN 1 ELSE 0 END) AS INT) AS requests_60m,
  CAST(SUM(CASE WHEN requested_time IS NOT NULL AND closings = 0 THEN 1 ELSE 0 END) AS INT)
    AS open_requests
FROM (
  SELECT cell, event_id, window_start, window_end, window_time, MAX(ts) AS newest_ts,
    CAST(TO_TIMESTAMP_LTZ(MAX(CASE WHEN kind = 'request' THEN ts END), 3) AS TIMESTAMP(3))
      AS requested_time,
    SUM(CASE WHEN kind = 'request' THEN 0 ELSE 1 END) AS closings
  FROM TABLE(HOP(TABLE request_steps, DESCRIPTOR(event_time),
    {interval(times.demand_slide_s)}, {interval(DEMAND_WINDOW_S)}))
  GROUP BY cell, event_id, window_start, window_end, window_time
)
GROUP BY cell, window_start, window_end, window_time"""


REQUEST_STEPS = """
CREATE TEMPORARY VIEW request_steps AS
SELECT cell, event_id, ts, kind, event_time
FROM dispatch_events WHERE kind IN ('request', 'complete', 'cancel')"""
"""The view that ``query`` reads: what opens and closes a request."""
