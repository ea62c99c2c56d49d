package roadside.flink;

import java.io.IOException;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.flink.connector.base.source.reader.RecordsWithSplitIds;
import org.apache.flink.connector.base.source.reader.splitreader.SplitReader;
import org.apache.flink.connector.base.source.reader.splitreader.SplitsAddition;
import org.apache.flink.connector.base.source.reader.splitreader.SplitsChange;
import org.apache.flink.connector.base.source.reader.splitreader.SplitsRemoval;
import org.apache.flink.connector.kinesis.source.split.KinesisShardSplit;
import org.apache.flink.kinesis.shaded.software.amazon.awssdk.services.kinesis.model.Record;

/**
 * Reads each shard at most once every {@code intervalMillis}.
 *
 * <p>The wrapped reader asks again as soon as it has its answer; Kinesis allows five GetRecords a
 * second for each shard, shared by every reader of the stream, and an idle shard would keep a core
 * busy.
 */
final class PacedSplitReader implements SplitReader<Record, KinesisShardSplit> {
    private final SplitReader<Record, KinesisShardSplit> wrapped;
    private final long intervalMillis;
    private final Set<String> shards = new HashSet<>();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition woken = lock.newCondition();
    private boolean wakeUp;
    private long nextFetchNanos = System.nanoTime();

    PacedSplitReader(SplitReader<Record, KinesisShardSplit> wrapped, long intervalMillis) {
        this.wrapped = wrapped;
        this.intervalMillis = intervalMillis;
    }

    @Override
    public RecordsWithSplitIds<Record> fetch() throws IOException {
        awaitTurn();
        // One fetch reads one shard, in turn, so a shard's interval is shared by all of them.
        long pause = intervalMillis / Math.max(1, shards.size());
        nextFetchNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(pause);
        RecordsWithSplitIds<Record> records = wrapped.fetch();
        shards.removeAll(records.finishedSplits());
        return records;
    }

    private void awaitTurn() throws IOException {
        lock.lock();
        try {
            long remaining = nextFetchNanos - System.nanoTime();
            while (!wakeUp && remaining > 0) {
                remaining = woken.awaitNanos(remaining);
            }
            wakeUp = false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while pacing GetRecords", e);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void handleSplitsChanges(SplitsChange<KinesisShardSplit> change) {
        if (change instanceof SplitsAddition) {
            change.splits().forEach(split -> shards.add(split.splitId()));
        } else if (change instanceof SplitsRemoval) {
            change.splits().forEach(split -> shards.remove(split.splitId()));
        }
        wrapped.handleSplitsChanges(change);
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
        wrapped.wakeUp();
    }

    @Override
    public void close() throws Exception {
        wrapped.close();
    }
}
