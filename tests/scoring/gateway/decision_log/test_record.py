from scoring.gateway.decision_log.record import BATCH_BYTES, BATCH_RECORDS, batches
from tests.scoring.gateway.decision_log.streams import record


def test_a_batch_is_never_more_than_one_call_takes() -> None:
    """Records are cut into batches by count and by bytes, all of them, in their order."""
    records = [record(number, padding_bytes=(number % 7) * 30_000) for number in range(1000)]
    cut = list(batches(records))
    assert [entry for batch in cut for entry in batch] == records
    assert all(len(batch) <= BATCH_RECORDS for batch in cut)
    assert all(sum(len(entry.data) for entry in batch) <= BATCH_BYTES for batch in cut)
    assert len(cut) < 30
