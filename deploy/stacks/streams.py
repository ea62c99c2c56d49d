"""The streams stack: Kinesis streams of provisioned shards under one key of our own."""

from collections.abc import Mapping

from aws_cdk import Duration, RemovalPolicy, Stack, aws_kinesis, aws_kms
from constructs import Construct

from deploy.streams import STREAMS, Stream


class StreamsStack(Stack):
    """Every stream of the product.

    Attributes:
        key: Encrypts all streams.
        streams: The streams by name.
    """

    def __init__(self, scope: Construct, identifier: str) -> None:
        super().__init__(scope, identifier, description="Event streams of provider ranking")
        self.key = aws_kms.Key(
            self,
            "Key",
            description="Encrypts the event streams of provider ranking",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        self.streams: Mapping[str, aws_kinesis.Stream] = {
            stream.name: self._stream(stream) for stream in STREAMS
        }

    def _stream(self, stream: Stream) -> aws_kinesis.Stream:
        # Provisioned: on demand bills a record as at least 1 KB, and ours are a sixth of that.
        return aws_kinesis.Stream(
            self,
            _construct_id(stream.name),
            stream_name=stream.name,
            stream_mode=aws_kinesis.StreamMode.PROVISIONED,
            shard_count=stream.shards,
            retention_period=Duration.hours(stream.retention_hours),
            encryption=aws_kinesis.StreamEncryption.KMS,
            encryption_key=self.key,
            removal_policy=RemovalPolicy.RETAIN,
        )


def _construct_id(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("-"))
