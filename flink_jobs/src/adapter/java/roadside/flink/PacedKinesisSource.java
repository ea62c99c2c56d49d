package roadside.flink;

import java.time.Duration;
import java.util.Properties;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.connector.source.Boundedness;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.api.java.typeutils.ResultTypeQueryable;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.kinesis.source.KinesisStreamsSource;
import org.apache.flink.connector.kinesis.source.enumerator.KinesisStreamsSourceEnumerator;
import org.apache.flink.connector.kinesis.source.enumerator.KinesisStreamsSourceEnumeratorState;
import org.apache.flink.connector.kinesis.source.enumerator.assigner.ShardAssignerFactory;
import org.apache.flink.connector.kinesis.source.proxy.KinesisStreamProxy;
import org.apache.flink.connector.kinesis.source.reader.KinesisStreamsRecordEmitter;
import org.apache.flink.connector.kinesis.source.serialization.KinesisDeserializationSchema;
import org.apache.flink.connector.kinesis.source.split.KinesisShardSplit;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.kinesis.shaded.org.apache.flink.connector.aws.util.AWSClientUtil;
import org.apache.flink.kinesis.shaded.org.apache.flink.connector.aws.util.AWSGeneralUtil;
import org.apache.flink.kinesis.shaded.software.amazon.awssdk.http.SdkHttpClient;
import org.apache.flink.kinesis.shaded.software.amazon.awssdk.http.apache.ApacheHttpClient;
import org.apache.flink.kinesis.shaded.software.amazon.awssdk.services.kinesis.KinesisClient;
import org.apache.flink.kinesis.shaded.software.amazon.awssdk.utils.AttributeMap;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.util.UserCodeClassLoader;

/**
 * The connector's {@link KinesisStreamsSource} of Flink 1.19, made to run on Flink 2.
 *
 * <p>Shard discovery, positions and state are the connector's own. The reader is not: its base
 * class has another constructor in Flink 2, and see {@link ShardPoller}. Where Kinesis refuses for
 * a while, reading and discovery wait ({@link Patience}). There is neither enhanced fan-out nor
 * the order of records across a split or merge of shards.
 */
public final class PacedKinesisSource
        implements Source<String, KinesisShardSplit, KinesisStreamsSourceEnumeratorState>,
                ResultTypeQueryable<String> {
    private static final long serialVersionUID = 1L;

    private final String streamArn;
    private final KinesisStreamsSource<String> connector;
    private final Configuration config;
    private final KinesisDeserializationSchema<String> deserializer;
    private final Duration interval;

    /**
     * @param streamArn the stream
     * @param config the connector's settings: credentials, end point, initial position
     * @param schema turns a record's bytes into text
     * @param intervalMillis the least time between two reads of one shard, milliseconds
     */
    public PacedKinesisSource(
            String streamArn,
            Configuration config,
            DeserializationSchema<String> schema,
            long intervalMillis) {
        this.streamArn = streamArn;
        this.config = config;
        this.deserializer = KinesisDeserializationSchema.of(schema);
        this.interval = Duration.ofMillis(intervalMillis);
        this.connector =
                KinesisStreamsSource.<String>builder()
                        .setStreamArn(streamArn)
                        .setSourceConfig(config)
                        .setDeserializationSchema(deserializer)
                        .build();
    }

    @Override
    public SourceReader<String, KinesisShardSplit> createReader(SourceReaderContext context)
            throws Exception {
        deserializer.open(new OpenContext(context));
        // In the group that the managed service publishes to CloudWatch.
        Counter refusals =
                context.metricGroup().addGroup("kinesisanalytics").counter("reads_refused");
        return new ShardReader<>(
                () -> new ShardPoller(createProxy(), interval, refusals),
                new KinesisStreamsRecordEmitter<>(deserializer),
                config,
                context);
    }

    /** Makes a client of its own for each reader and for discovery, as the connector does. */
    private KinesisStreamProxy createProxy() {
        SdkHttpClient http =
                AWSGeneralUtil.createSyncHttpClient(
                        AttributeMap.builder().build(), ApacheHttpClient.builder());
        Properties properties = new Properties();
        config.addAllToProperties(properties);
        AWSGeneralUtil.validateAwsCredentials(properties);
        KinesisClient client =
                AWSClientUtil.createAwsSyncClient(
                        properties,
                        http,
                        KinesisClient.builder(),
                        "Apache Flink %s (%s) Kinesis Connector",
                        "aws.kinesis.client.user-agent-prefix");
        return new KinesisStreamProxy(client, http);
    }

    @Override
    public Boundedness getBoundedness() {
        return connector.getBoundedness();
    }

    @Override
    public SplitEnumerator<KinesisShardSplit, KinesisStreamsSourceEnumeratorState> createEnumerator(
            SplitEnumeratorContext<KinesisShardSplit> context) {
        return restoreEnumerator(context, null);
    }

    @Override
    public SplitEnumerator<KinesisShardSplit, KinesisStreamsSourceEnumeratorState>
            restoreEnumerator(
                    SplitEnumeratorContext<KinesisShardSplit> context,
                    KinesisStreamsSourceEnumeratorState checkpoint) {
        return new KinesisStreamsSourceEnumerator(
                context,
                streamArn,
                config,
                new PatientListing(createProxy()),
                ShardAssignerFactory.uniformShardAssigner(),
                checkpoint);
    }

    @Override
    public SimpleVersionedSerializer<KinesisShardSplit> getSplitSerializer() {
        return connector.getSplitSerializer();
    }

    @Override
    public SimpleVersionedSerializer<KinesisStreamsSourceEnumeratorState>
            getEnumeratorCheckpointSerializer() {
        return connector.getEnumeratorCheckpointSerializer();
    }

    @Override
    public TypeInformation<String> getProducedType() {
        return deserializer.getProducedType();
    }

    /** What a deserialization schema may ask for when it opens. */
    private static final class OpenContext implements DeserializationSchema.InitializationContext {
        private final SourceReaderContext context;

        OpenContext(SourceReaderContext context) {
            this.context = context;
        }

        @Override
        public MetricGroup getMetricGroup() {
            return context.metricGroup().addGroup("deserializer");
        }

        @Override
        public UserCodeClassLoader getUserCodeClassLoader() {
            return context.getUserCodeClassLoader();
        }
    }
}
