"""``provider_availability``: each provider's state, offers and answers, written on the event."""

from flink_jobs.event_schemas import DISPATCH_EVENTS, PROVIDER_AVAILABILITY
from flink_jobs.settings import EventTime

INPUTS = (PROVIDER_AVAILABILITY, DISPATCH_EVENTS)


def query(times: EventTime) -> str:
    """Return the view's SQL: one row for each event of a provider, in the order they count."""
    return f"""
SELECT provider_id, a.ts AS observed_ts,
  counted_ts + {round(times.changes_out_of_order_s * 1000)} AS made_ts, a.status AS status,
  a.active_jobs AS active_jobs,
  a.free_capacity AS free_capacity, a.status_ts * 1000 AS status_reported_at,
  a.status_since_ts * 1000 AS status_since,
  a.shift_end_ts * 1000 AS shift_end,
  a.offers_30m AS offers_30m, a.accepts_30m AS accepts_30m, a.declines_30m AS declines_30m,
  a.offers_1h AS offers_1h, a.accepts_1h AS accepts_1h, a.declines_1h AS declines_1h
FROM (
  SELECT provider_id, counted_ts,
    availability(ts, kind, event_id, status, active_jobs, capacity, shift_end_ts) OVER (
      PARTITION BY provider_id ORDER BY event_time
      RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS a
  FROM (
    SELECT provider_id, event_time, counted_ts, ts, CAST(NULL AS STRING) AS kind,
      CAST(NULL AS STRING) AS event_id, status, active_jobs, capacity, shift_end_ts
    FROM provider_availability
    UNION ALL
    SELECT provider_id, event_time, counted_ts, ts, kind, event_id, CAST(NULL AS STRING),
      CAST(NULL AS INT), CAST(NULL AS INT), CAST(NULL AS BIGINT)
    FROM dispatch_events WHERE kind IN ('offer', 'accept', 'decline')
  )
)"""
