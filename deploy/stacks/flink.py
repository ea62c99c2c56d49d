"""The Flink stack: the application on Managed Service for Apache Flink, its role and its logs."""

from aws_cdk import (
    ArnFormat,
    CfnParameter,
    RemovalPolicy,
    Stack,
    aws_iam,
    aws_logs,
)
from aws_cdk import aws_kinesisanalyticsv2 as managed_flink
from constructs import Construct

from deploy.stacks.foundation import Foundation
from deploy.stacks.offline_store import ROWS
from deploy.stacks.permissions import allow, allow_key, allow_network_interfaces
from deploy.streams import DEAD_LETTER, STREAMS

APPLICATION_NAME = "roadside-features"
RUNTIME = "FLINK-2_2"
PARALLELISM = 8
"""As many as the busiest input has shards, so that each is read by a task of its own."""

Application = managed_flink.CfnApplication
Logging = managed_flink.CfnApplicationCloudWatchLoggingOption


class FlinkStack(Stack):
    """The streaming application.

    The code's place is a parameter: the code is uploaded before the stack is deployed.
    """

    def __init__(self, scope: Construct, identifier: str, foundation: Foundation) -> None:
        super().__init__(scope, identifier, description="Streaming features of provider ranking")
        self._artifacts, self._network = foundation.artifacts, foundation.network
        self._streams, self._store = foundation.streams, foundation.store
        self._bucket = CfnParameter(self, "CodeBucket", description="Bucket of the zip")
        self._object = CfnParameter(self, "CodeObject", description="Key of the zip in the bucket")
        log_group = aws_logs.LogGroup(
            self,
            "Logs",
            retention=aws_logs.RetentionDays.ONE_MONTH,
            removal_policy=RemovalPolicy.DESTROY,
        )
        log_stream = aws_logs.LogStream(
            self, "LogStream", log_group=log_group, removal_policy=RemovalPolicy.DESTROY
        )
        role = self._role(log_group)
        application = Application(
            self,
            "Application",
            application_name=APPLICATION_NAME,
            application_description="Windowed stream features, from Kinesis to the online store",
            runtime_environment=RUNTIME,
            service_execution_role=role.role_arn,
            application_configuration=self._configuration(),
        )
        # The role alone is not enough to start: what it may do is a resource of its own.
        application.node.add_dependency(role.node.find_child("DefaultPolicy"))
        logging = managed_flink.CfnApplicationCloudWatchLoggingOption(
            self,
            "Logging",
            application_name=APPLICATION_NAME,
            cloud_watch_logging_option=Logging.CloudWatchLoggingOptionProperty(
                log_stream_arn=self._log_stream_arn(log_group, log_stream.log_stream_name)
            ),
        )
        logging.add_resource_dependency(application)

    def _configuration(self) -> Application.ApplicationConfigurationProperty:
        return Application.ApplicationConfigurationProperty(
            application_code_configuration=Application.ApplicationCodeConfigurationProperty(
                code_content_type="ZIPFILE",
                code_content=Application.CodeContentProperty(
                    s3_content_location=Application.S3ContentLocationProperty(
                        bucket_arn=self._bucket_arn(),
                        file_key=self._object.value_as_string,
                    )
                ),
            ),
            application_snapshot_configuration=(
                Application.ApplicationSnapshotConfigurationProperty(snapshots_enabled=True)
            ),
            environment_properties=Application.EnvironmentPropertiesProperty(
                property_groups=self._property_groups()
            ),
            # Checkpoints and their interval belong to the service's default, which restores from
            # the newest snapshot when an update fails to start.
            flink_application_configuration=Application.FlinkApplicationConfigurationProperty(
                checkpoint_configuration=Application.CheckpointConfigurationProperty(
                    configuration_type="DEFAULT"
                ),
                # At a finer level metrics carry the names of operators, which are Flink's own and
                # change with the SQL: no alarm could name them.
                monitoring_configuration=Application.MonitoringConfigurationProperty(
                    configuration_type="CUSTOM", log_level="INFO", metrics_level="APPLICATION"
                ),
                parallelism_configuration=Application.ParallelismConfigurationProperty(
                    configuration_type="CUSTOM",
                    parallelism=PARALLELISM,
                    parallelism_per_kpu=1,
                    auto_scaling_enabled=True,
                ),
            ),
            vpc_configurations=[
                Application.VpcConfigurationProperty(
                    subnet_ids=[subnet.subnet_id for subnet in self._network.vpc.isolated_subnets],
                    security_group_ids=[self._network.jobs.security_group_id],
                )
            ],
        )

    def _property_groups(self) -> list[Application.PropertyGroupProperty]:
        groups = {
            # The service's own group: what to start, and with which jar and Python path.
            "kinesis.analytics.flink.run.options": {
                "python": "main.py",
                "jarfile": "lib/flink-jobs.jar",
                "pyFiles": "python/",
            },
            "jobs": {"name": APPLICATION_NAME},
            "streams": {"kind": "kinesis", "region": self.region},
            "feature_store": {
                "redis_url": self._store.online.url_with_password("jobs"),
                "offline_dir": f"s3://{self._store.offline.rows.bucket_name}/{ROWS}",
            },
        }
        return [
            Application.PropertyGroupProperty(property_group_id=name, property_map=properties)
            for name, properties in groups.items()
        ]

    def _role(self, log_group: aws_logs.LogGroup) -> aws_iam.Role:
        """Return a role that may do what the application does, and no more."""
        role = aws_iam.Role(
            self,
            "Role",
            assumed_by=aws_iam.ServicePrincipal(
                "kinesisanalytics.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            ),
            description="Reads the event streams, writes dead letters and rows",
        )
        streams, rows = self._streams, self._store.offline.rows
        for stream in STREAMS:
            if stream.is_input:
                allow(role, _READ, streams.streams[stream.name].stream_arn)
        allow(role, _WRITE, streams.streams[DEAD_LETTER].stream_arn)
        allow_key(role, streams.key)
        allow(role, ("s3:ListBucket",), rows.bucket_arn)
        allow(role, _WRITE_ROWS, f"{rows.bucket_arn}/{ROWS}/*")
        allow_key(role, self._store.key)
        code = f"{self._bucket_arn()}/{self._object.value_as_string}"
        allow(role, ("s3:GetObject", "s3:GetObjectVersion"), code)
        allow_key(role, self._artifacts.key)
        allow(
            role,
            ("logs:DescribeLogStreams", "logs:PutLogEvents"),
            log_group.log_group_arn,
            self._log_stream_arn(log_group, "*"),
        )
        allow_network_interfaces(role)
        return role

    def _log_stream_arn(self, group: aws_logs.LogGroup, name: str) -> str:
        return self.format_arn(
            service="logs",
            resource="log-group",
            resource_name=f"{group.log_group_name}:log-stream:{name}",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )

    def _bucket_arn(self) -> str:
        return f"arn:{self.partition}:s3:::{self._bucket.value_as_string}"


_READ = (
    "kinesis:DescribeStream",
    "kinesis:DescribeStreamSummary",
    "kinesis:GetRecords",
    "kinesis:GetShardIterator",
    "kinesis:ListShards",
)
_WRITE = ("kinesis:DescribeStreamSummary", "kinesis:PutRecords")
_WRITE_ROWS = ("s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject")
"""A file of rows is uploaded in parts, which a restart reads again or gives up."""
