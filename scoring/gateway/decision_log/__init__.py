"""The decisions as served, on their way to Kinesis: off the request's path, never blocking it.

::

    request ─► DecisionLog.log ─► bounded buffer ─► thread: encode, batch ─► Kinesis
                 │ full: counted                      │ refused, or away       ▲ later, also after
                 ▼                                    ▼                        │ a restart
               dropped                              spill on disk ─────────────┘
                                                      │ full: counted
                                                      ▼
                                                    dropped

Delivery is at least once: what may have been taken is sent again, and readers count an ``event_id``
with the same ``decided_at`` once.
"""

from scoring.gateway.decision_log.kinesis import KinesisStream
from scoring.gateway.decision_log.log import DecisionLog
from scoring.gateway.decision_log.record import Record
from scoring.gateway.decision_log.spill import Spill
from scoring.gateway.decision_log.stream import DecisionStream

__all__ = ["DecisionLog", "DecisionStream", "KinesisStream", "Record", "Spill"]
