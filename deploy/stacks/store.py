"""The store stack: online rows in Valkey, offline rows and decisions in S3 and Athena."""

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from deploy.stacks import storage
from deploy.stacks.decision_archive import DecisionArchive
from deploy.stacks.network import NetworkStack
from deploy.stacks.offline_store import DATABASE, WORKGROUP, OfflineStore
from deploy.stacks.online_store import OnlineStore
from deploy.stacks.streams import StreamsStack


class StoreStack(Stack):
    """The feature store.

    Its outputs are what ``feature_repo/feature_store.aws.yaml`` takes from the environment.

    Attributes:
        key: Encrypts all that is stored.
        online: The nodes that gateway and jobs ask.
        offline: Rows and decisions by day.
    """

    def __init__(
        self, scope: Construct, identifier: str, network: NetworkStack, streams: StreamsStack
    ) -> None:
        super().__init__(scope, identifier, description="Feature store of provider ranking")
        self.key = storage.key(self, "Key", "Encrypts features and decisions of provider ranking")
        self.online = OnlineStore(self, "Online", network, self.key)
        logs = storage.log_bucket(self, "AccessLogs")
        self.offline = OfflineStore(self, "Offline", self.key, logs)
        DecisionArchive(self, "DecisionArchive", streams, self.offline.decisions, self.key)
        self._outputs()

    def _outputs(self) -> None:
        rows = self.offline.rows.bucket_name
        outputs = {
            "FeatureRegistry": f"s3://{rows}/registry.db",
            "FeatureRedisUrl": self.online.url("jobs"),
            "FeatureDatabase": DATABASE,
            "FeatureWorkgroup": WORKGROUP,
            "FeatureStaging": self.offline.staging(),
            "OfflineBucket": rows,
            "DecisionsBucket": self.offline.decisions.bucket_name,
            "RedisPasswordSecret": self.online.passwords["jobs"].secret_arn,
        }
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)
