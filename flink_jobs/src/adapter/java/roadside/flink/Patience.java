package roadside.flink;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import org.apache.flink.kinesis.shaded.software.amazon.awssdk.core.exception.AbortedException;
import org.apache.flink.kinesis.shaded.software.amazon.awssdk.core.exception.SdkClientException;
import org.apache.flink.kinesis.shaded.software.amazon.awssdk.core.exception.SdkException;
import org.apache.flink.kinesis.shaded.software.amazon.awssdk.core.exception.SdkServiceException;
import org.apache.flink.kinesis.shaded.software.amazon.awssdk.services.kinesis.model.KmsThrottlingException;
import org.apache.flink.kinesis.shaded.software.amazon.awssdk.services.kinesis.model.LimitExceededException;

/**
 * How long Kinesis is asked again after it refused, and with what pauses.
 *
 * <p>Kinesis throttles a busy shard every day, and the connector fails the job when the client's
 * own few attempts are used up: a restart reads again from the last checkpoint, from the very
 * shard that is throttled.
 */
final class Patience {
    private static final long FIRST_PAUSE_MS = 250;
    private static final long LONGEST_PAUSE_MS = 5000;
    private static final Duration LIMIT = Duration.ofMinutes(5);
    private static final int SERVER_ERROR = 500;

    private long refusedSinceNanos;
    private long pauseMillis = FIRST_PAUSE_MS;
    private boolean waiting;

    /**
     * Returns how long to wait before the next attempt.
     *
     * @throws SdkException the refusal, when it will not pass or has lasted too long
     */
    Duration after(SdkException refusal) {
        long now = System.nanoTime();
        if (!waiting) {
            waiting = true;
            refusedSinceNanos = now;
        }
        if (!isPassing(refusal) || now - refusedSinceNanos > LIMIT.toNanos()) {
            throw refusal;
        }
        long millis = pauseMillis;
        pauseMillis = Math.min(2 * millis, LONGEST_PAUSE_MS);
        // Not all readers of a stream at the same moment again.
        return Duration.ofMillis(ThreadLocalRandom.current().nextLong(millis / 2, millis + 1));
    }

    /** Says that Kinesis has answered. */
    void restore() {
        waiting = false;
        pauseMillis = FIRST_PAUSE_MS;
    }

    private static boolean isPassing(SdkException refusal) {
        if (refusal instanceof SdkServiceException) {
            SdkServiceException answer = (SdkServiceException) refusal;
            return answer.isThrottlingException()
                    || answer.statusCode() >= SERVER_ERROR
                    || answer instanceof LimitExceededException
                    || answer instanceof KmsThrottlingException;
        }
        // No answer at all; but an aborted call is how a job that ends wakes its readers.
        return refusal instanceof SdkClientException && !(refusal instanceof AbortedException);
    }
}
