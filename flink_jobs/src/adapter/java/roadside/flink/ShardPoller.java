package roadside.flink;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.flink.connector.base.source.reader.RecordsBySplits;
import org.apache.flink.connector.base.source.reader.RecordsWithSplitIds;
import org.apache.flink.connector.base.source.reader.splitreader.SplitReader;
import org.apache.flink.connector.base.source.reader.splitreader.SplitsAddition;
import org.apache.flink.connector.base.source.reader.splitreader.SplitsChange;
import org.apache.flink.connector.kinesis.source.proxy.StreamProxy;
import org.apache.flink.connector.kinesis.source.split.KinesisShardSplit;
import org.apache.flink.connector.kinesis.source.split.StartingPosition;
import org.apache.flink.kinesis.shaded.software.amazon.awssdk.core.exception.SdkException;
import org.apache.flink.kinesis.shaded.software.amazon.awssdk.services.kinesis.model.GetRecordsResponse;
import org.apache.flink.kinesis.shaded.software.amazon.awssdk.services.kinesis.model.Record;
import org.apache.flink.metrics.Counter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads shards in turn, each at most once every interval, and a refused one after a longer pause.
 *
 * <p>It stands for the connector's own, which polls without pause (Kinesis allows five reads a
 * second for each shard, over all its readers), fails the job when a shard is throttled, and reads
 * the last records of a closed shard for ever when they come in the answer that ends it.
 */
final class ShardPoller implements SplitReader<Record, KinesisShardSplit> {
    private static final Logger LOG = LoggerFactory.getLogger(ShardPoller.class);
    private final StreamProxy kinesis;
    private final Duration interval;
    private final Counter refusals;
    private final PriorityQueue<Turn> turns = new PriorityQueue<>();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition woken = lock.newCondition();
    private boolean wakeUp;

    /**
     * @param kinesis one reader's own client
     * @param interval the least time between two reads of one shard
     * @param refusals counts reads that were refused and are tried again
     */
    ShardPoller(StreamProxy kinesis, Duration interval, Counter refusals) {
        this.kinesis = kinesis;
        this.interval = interval;
        this.refusals = refusals;
    }

    @Override
    public RecordsWithSplitIds<Record> fetch() throws IOException {
        RecordsBySplits.Builder<Record> found = new RecordsBySplits.Builder<>();
        if (awaitTurn()) {
            read(turns.remove(), found);
        }
        return found.build();
    }

    /** Waits until a shard is due; returns false when there is something else to do. */
    private boolean awaitTurn() throws IOException {
        lock.lock();
        try {
            while (!wakeUp && !turns.isEmpty() && turns.element().waitNanos() > 0) {
                woken.awaitNanos(turns.element().waitNanos());
            }
            boolean isDue = !wakeUp && !turns.isEmpty();
            wakeUp = false;
            return isDue;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while waiting for the next read", e);
        } finally {
            lock.unlock();
        }
    }

    private void read(Turn turn, RecordsBySplits.Builder<Record> found) {
        KinesisShardSplit shard = turn.shard;
        try {
            turn.waitFor(interval);
            GetRecordsResponse answer =
                    kinesis.getRecords(shard.getStreamArn(), shard.getShardId(), turn.position);
            turn.patience.restore();
            List<Record> records = answer.records();
            if (!records.isEmpty()) {
                found.addAll(shard, records);
                turn.continueAfter(records.get(records.size() - 1));
            }
            if (answer.nextShardIterator() == null) {
                found.addFinishedSplit(shard.splitId());
            } else {
                turns.add(turn);
            }
        } catch (SdkException refusal) {
            turn.waitFor(turn.patience.after(refusal));
            turns.add(turn);
            refusals.inc();
            LOG.warn("{} is not read; trying again", shard, refusal);
        }
    }

    @Override
    public void handleSplitsChanges(SplitsChange<KinesisShardSplit> change) {
        if (!(change instanceof SplitsAddition)) {
            throw new UnsupportedOperationException("shards are only added, not: " + change);
        }
        change.splits().forEach(shard -> turns.add(new Turn(shard)));
    }

    @Override
    public void wakeUp() {
        lock.lock();
        try {
            wakeUp = true;
            woken.signalAll();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() throws IOException {
        kinesis.close();
    }

    /** When a shard is read next, and from where. */
    private static final class Turn implements Comparable<Turn> {
        final KinesisShardSplit shard;
        final Patience patience = new Patience();
        StartingPosition position;
        private long dueNanos = System.nanoTime();

        Turn(KinesisShardSplit shard) {
            this.shard = shard;
            this.position = shard.getStartingPosition();
        }

        void continueAfter(Record record) {
            position = StartingPosition.continueFromSequenceNumber(record.sequenceNumber());
        }

        void waitFor(Duration pause) {
            dueNanos = System.nanoTime() + pause.toNanos();
        }

        long waitNanos() {
            return dueNanos - System.nanoTime();
        }

        @Override
        public int compareTo(Turn other) {
            return Long.signum(dueNanos - other.dueNanos);
        }
    }
}
