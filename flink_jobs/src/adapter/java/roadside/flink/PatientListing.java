package roadside.flink;

import java.io.IOException;
import java.util.List;
import org.apache.flink.connector.kinesis.source.proxy.StreamProxy;
import org.apache.flink.connector.kinesis.source.split.StartingPosition;
import org.apache.flink.kinesis.shaded.software.amazon.awssdk.core.exception.SdkException;
import org.apache.flink.kinesis.shaded.software.amazon.awssdk.services.kinesis.model.GetRecordsResponse;
import org.apache.flink.kinesis.shaded.software.amazon.awssdk.services.kinesis.model.Shard;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Lists a stream's shards, again and again where Kinesis refuses for a while. */
final class PatientListing implements StreamProxy {
    private static final Logger LOG = LoggerFactory.getLogger(PatientListing.class);

    private final StreamProxy wrapped;

    PatientListing(StreamProxy wrapped) {
        this.wrapped = wrapped;
    }

    @Override
    public List<Shard> listShards(String streamArn, String lastSeenShardId) {
        Patience patience = new Patience();
        while (true) {
            try {
                return wrapped.listShards(streamArn, lastSeenShardId);
            } catch (SdkException refusal) {
                long pauseMillis = patience.after(refusal).toMillis();
                LOG.warn("shards of {} are not told; asking again", streamArn, refusal);
                sleep(pauseMillis);
            }
        }
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("the job ends while shards are listed", e);
        }
    }

    @Override
    public GetRecordsResponse getRecords(
            String streamArn, String shardId, StartingPosition startingPosition) {
        return wrapped.getRecords(streamArn, shardId, startingPosition);
    }

    @Override
    public void close() throws IOException {
        wrapped.close();
    }
}
