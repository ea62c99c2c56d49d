"""The Kinesis stream of the decision log, and when it is worth asking."""

import logging
from collections.abc import Sequence
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError

from scoring.gateway.decision_log.kinesis import Result
from scoring.gateway.decision_log.record import Record
from scoring.gateway.resilience.clock import Clock, monotonic

logger = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 15.0


class Kinesis(Protocol):
    """A stream that takes records (``kinesis.KinesisStream``)."""

    name: str

    def put(self, records: Sequence[Record]) -> list[Result]:
        """Put records once; return what became of each.

        Raises:
            BotoCoreError: Kinesis did not answer.
            ClientError: It refused all of them.
        """


class DecisionStream:
    """Puts records on a stream, and leaves it alone for a while after it refused.

    Args:
        kinesis: The stream, with its own time-outs and without retries.
        clock: What tells the time.
    """

    def __init__(self, kinesis: Kinesis, clock: Clock = monotonic) -> None:
        self._kinesis = kinesis
        self._clock = clock
        self._pause_s = FIRST_PAUSE_S
        self._ask_again_s = float("-inf")

    @property
    def resting(self) -> bool:
        """Whether it refused lately and is not asked yet."""
        return self._clock() < self._ask_again_s

    def put(self, batch: Sequence[Record]) -> list[Record]:
        """Put one batch and return what was not taken.

        What is returned after a time-out may have been taken all the same.
        """
        try:
            results = self._kinesis.put(batch)
        except (BotoCoreError, ClientError) as error:
            return self._refused(list(batch), str(error))
        pairs = zip(batch, results, strict=True)
        refused = [(record, code) for record, result in pairs if (code := result.error_code)]
        if refused:
            return self._refused([record for record, _ in refused], refused[0][1])
        self._pause_s = FIRST_PAUSE_S
        return []

    def _refused(self, records: list[Record], why: str) -> list[Record]:
        logger.warning(
            "stream %s did not take %d decisions (%s); asked again in %g s",
            self._kinesis.name, len(records), why, self._pause_s,
        )  # fmt: skip
        self._ask_again_s = self._clock() + self._pause_s
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        return records
