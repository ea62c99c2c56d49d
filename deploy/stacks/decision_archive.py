"""Carries the decision log from its stream to S3, where it is kept for longer than a day."""

from aws_cdk import RemovalPolicy, Stack, aws_iam, aws_kms, aws_logs, aws_s3
from aws_cdk import aws_kinesisfirehose as firehose
from constructs import Construct

from deploy.stacks.offline_store import DECISIONS
from deploy.stacks.permissions import allow, allow_key
from deploy.stacks.streams import StreamsStack
from deploy.streams import DECISIONS as DECISION_STREAM

BUFFER_MB, BUFFER_S = 64, 300
_READ = (
    "kinesis:DescribeStream",
    "kinesis:GetRecords",
    "kinesis:GetShardIterator",
    "kinesis:ListShards",
)
_WRITE = (
    "s3:AbortMultipartUpload",
    "s3:GetBucketLocation",
    "s3:GetObject",
    "s3:ListBucket",
    "s3:ListBucketMultipartUploads",
    "s3:PutObject",
)

Stream = firehose.CfnDeliveryStream


class DecisionArchive(Construct):
    """A Firehose stream: each decision as one line of JSON, as it was logged, by day, in gzip.

    As JSON, not as Parquet: a decision is a nested record whose form changes with the product, and
    a conversion that fails must not lose what was served.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        streams: StreamsStack,
        target: aws_s3.IBucket,
        target_key: aws_kms.IKey,
    ) -> None:
        super().__init__(scope, name)
        source = streams.streams[DECISION_STREAM]
        logs = aws_logs.LogGroup(
            self,
            "Logs",
            retention=aws_logs.RetentionDays.ONE_MONTH,
            removal_policy=RemovalPolicy.DESTROY,
        )
        log_stream = aws_logs.LogStream(
            self, "LogStream", log_group=logs, removal_policy=RemovalPolicy.DESTROY
        )
        role = aws_iam.Role(
            self,
            "Role",
            assumed_by=aws_iam.ServicePrincipal(
                "firehose.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            ),
            description="Reads decisions and writes them to S3",
        )
        allow(role, _READ, source.stream_arn)
        allow(role, _WRITE, target.bucket_arn, f"{target.bucket_arn}/{DECISIONS}/*")
        allow_key(role, streams.key)
        allow_key(role, target_key)
        allow(role, ("logs:PutLogEvents",), f"{logs.log_group_arn}")
        archive = Stream(
            self,
            "Archive",
            delivery_stream_type="KinesisStreamAsSource",
            kinesis_stream_source_configuration=Stream.KinesisStreamSourceConfigurationProperty(
                kinesis_stream_arn=source.stream_arn, role_arn=role.role_arn
            ),
            extended_s3_destination_configuration=Stream.ExtendedS3DestinationConfigurationProperty(
                bucket_arn=target.bucket_arn,
                role_arn=role.role_arn,
                prefix=f"{DECISIONS}/date=!{{timestamp:yyyy-MM-dd}}/",
                error_output_prefix=f"{DECISIONS}/failed/!{{firehose:error-output-type}}/",
                compression_format="GZIP",
                buffering_hints=Stream.BufferingHintsProperty(
                    size_in_m_bs=BUFFER_MB, interval_in_seconds=BUFFER_S
                ),
                encryption_configuration=Stream.EncryptionConfigurationProperty(
                    kms_encryption_config=Stream.KMSEncryptionConfigProperty(
                        awskms_key_arn=target_key.key_arn
                    )
                ),
                cloud_watch_logging_options=Stream.CloudWatchLoggingOptionsProperty(
                    enabled=True,
                    log_group_name=logs.log_group_name,
                    log_stream_name=log_stream.log_stream_name,
                ),
                processing_configuration=_LINES,
            ),
        )
        archive.node.add_dependency(role.node.find_child("DefaultPolicy"))


_LINES = Stream.ProcessingConfigurationProperty(
    enabled=True,
    processors=[
        Stream.ProcessorProperty(
            type="AppendDelimiterToRecord",
            parameters=[
                Stream.ProcessorParameterProperty(parameter_name="Delimiter", parameter_value="\\n")
            ],
        )
    ],
)
