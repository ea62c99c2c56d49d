package roadside.flink;

import java.util.Map;
import java.util.function.Supplier;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.base.source.reader.RecordEmitter;
import org.apache.flink.connector.base.source.reader.SingleThreadMultiplexSourceReaderBase;
import org.apache.flink.connector.base.source.reader.splitreader.SplitReader;
import org.apache.flink.connector.kinesis.source.split.KinesisShardSplit;
import org.apache.flink.connector.kinesis.source.split.KinesisShardSplitState;
import org.apache.flink.kinesis.shaded.software.amazon.awssdk.services.kinesis.model.Record;

/** The connector's reader, over the base class as Flink 2 has it. */
final class ShardReader<T>
        extends SingleThreadMultiplexSourceReaderBase<
                Record, T, KinesisShardSplit, KinesisShardSplitState> {

    ShardReader(
            Supplier<SplitReader<Record, KinesisShardSplit>> splitReaders,
            RecordEmitter<Record, T, KinesisShardSplitState> emitter,
            Configuration config,
            SourceReaderContext context) {
        super(splitReaders, emitter, config, context);
    }

    @Override
    protected void onSplitFinished(Map<String, KinesisShardSplitState> finished) {
        // Shards are discovered by the enumerator; there is nothing to ask for.
    }

    @Override
    protected KinesisShardSplitState initializedState(KinesisShardSplit split) {
        return new KinesisShardSplitState(split);
    }

    @Override
    protected KinesisShardSplit toSplitType(String splitId, KinesisShardSplitState state) {
        return new KinesisShardSplit(
                state.getStreamArn(), state.getShardId(), state.getNextStartingPosition());
    }
}
