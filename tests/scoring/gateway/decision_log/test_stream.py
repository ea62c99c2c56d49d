from scoring.gateway.decision_log.stream import FIRST_PAUSE_S, LONGEST_PAUSE_S, DecisionStream
from tests.scoring.gateway.decision_log.streams import Stream, record
from tests.scoring.gateway.resilience.clocks import StandingClock


def test_what_a_stream_throttles_is_handed_back_alone() -> None:
    """Of a batch that was taken in part, only the rest is to be sent again."""
    kinesis = Stream(refuses={"e1"})
    stream = DecisionStream(kinesis, StandingClock())
    assert stream.put([record(0), record(1), record(2)]) == [record(1)]
    assert kinesis.event_ids == ["e0", "e2"]


def test_a_stream_that_refuses_is_left_alone_ever_longer() -> None:
    """Pauses double up to the longest, and begin anew after a batch that was taken."""
    kinesis, clock = Stream(away=True), StandingClock()
    stream = DecisionStream(kinesis, clock)
    pauses = []
    for _ in range(8):
        assert stream.put([record(0)]) == [record(0)]
        began = clock.now_s
        while stream.resting:
            clock.now_s += FIRST_PAUSE_S / 2
        pauses.append(clock.now_s - began)
    assert pauses[:3] == [FIRST_PAUSE_S, 2 * FIRST_PAUSE_S, 4 * FIRST_PAUSE_S]
    assert pauses[-1] == LONGEST_PAUSE_S
    kinesis.away = False
    assert stream.put([record(0)]) == []
    kinesis.away = True
    stream.put([record(0)])
    clock.now_s += FIRST_PAUSE_S
    assert not stream.resting
