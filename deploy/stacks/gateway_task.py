"""One task of the gateway: the gateway, what prepares its start, and what carries its metrics."""

from collections.abc import Sequence

from aws_cdk import (
    Acknowledgment,
    CfnParameter,
    Duration,
    RemovalPolicy,
    Stack,
    Validations,
    aws_ecs,
    aws_iam,
    aws_logs,
)
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from deploy import sizing
from deploy.names import ENDPOINT
from deploy.stacks import collector
from deploy.stacks.artifacts import MODELS
from deploy.stacks.foundation import Foundation
from deploy.stacks.network import GATEWAY
from deploy.stacks.permissions import allow, allow_key
from deploy.streams import DECISIONS

MEMORY_MB = 4096
WORKERS = int(sizing.GATEWAY_TASK.cores)
USER = "10001"
STOP_S = 30
"""After SIGTERM: requests have 5 s, the decision log what is left."""
PREPARED, SPILL, SCRATCH = "/prepared", "/spill", "/tmp"  # noqa: S108 - in the container
PREPARE, SERVE, COLLECT = "prepare", "gateway", "collector"


class GatewayTask(Construct):
    """The task definition.

    Attributes:
        definition: What the service runs.
    """

    def __init__(self, scope: Construct, name: str, foundation: Foundation) -> None:
        super().__init__(scope, name)
        self._artifacts, self._streams = foundation.artifacts, foundation.streams
        self._store = foundation.store
        stack = Stack.of(self)
        self._image_tag = CfnParameter(stack, "ImageTag", description="Tag of the gateway's image")
        self._keys = secretsmanager.Secret.from_secret_complete_arn(
            self,
            "ApiKeys",
            CfnParameter(
                stack,
                "ApiKeysArn",
                description="ARN of a secret with fields keys (the gateway's key file) and "
                "collector (a key of its own for the collector)",
            ).value_as_string,
        )
        self.definition = aws_ecs.FargateTaskDefinition(
            self,
            "Task",
            cpu=int(sizing.GATEWAY_TASK.cores * 1024),
            memory_limit_mib=MEMORY_MB,
            runtime_platform=aws_ecs.RuntimePlatform(
                cpu_architecture=aws_ecs.CpuArchitecture.X86_64,
                operating_system_family=aws_ecs.OperatingSystemFamily.LINUX,
            ),
            volumes=[aws_ecs.Volume(name=place.strip("/")) for place in (PREPARED, SPILL, SCRATCH)],
        )
        self._logs = self._log_group("Logs")
        prepare, gateway, metrics = self._prepare(), self._gateway(), self._collector()
        gateway.add_container_dependencies(
            aws_ecs.ContainerDependency(
                container=prepare, condition=aws_ecs.ContainerDependencyCondition.SUCCESS
            )
        )
        Validations.of(self.definition).acknowledge(
            Acknowledgment(
                id="CloudFormation-Validate::E1029",
                reason="What looks like a part of Fn::Sub is the collector's, which fills it in.",
            )
        )
        metrics.add_container_dependencies(
            aws_ecs.ContainerDependency(
                container=gateway, condition=aws_ecs.ContainerDependencyCondition.START
            )
        )
        self._allow()

    def _prepare(self) -> aws_ecs.ContainerDefinition:
        model = CfnParameter(
            Stack.of(self),
            "ModelObject",
            description="Key of the model.tar.gz in the artifacts bucket that answers when the "
            "endpoint is away: by default what serves, as deploy.sagemaker.incumbent keeps it",
            default=f"{MODELS}/incumbent/model.tar.gz",
        )
        container = self._container(
            PREPARE,
            essential=False,
            entry_point=["python", "prepare.py"],
            command=[PREPARED],
            environment={
                "MODEL_DATA": f"s3://{self._artifacts.bucket.bucket_name}/{model.value_as_string}"
            },
            secrets={"API_KEYS": aws_ecs.Secret.from_secrets_manager(self._keys, "keys")},
        )
        _mount(container, PREPARED)
        return container

    def _gateway(self) -> aws_ecs.ContainerDefinition:
        # By its ARN: as an object, it would name the task's role in its key's policy, and so make
        # the store depend on the gateway.
        password = secretsmanager.Secret.from_secret_complete_arn(
            self, "StorePassword", self._store.online.passwords["gateway"].secret_arn
        )
        container = self._container(
            SERVE,
            essential=True,
            command=self._options(),
            port_mappings=[aws_ecs.PortMapping(container_port=GATEWAY)],
            secrets={"REDIS_PASSWORD": aws_ecs.Secret.from_secrets_manager(password)},
            stop_timeout=Duration.seconds(STOP_S),
        )
        for place in (PREPARED, SPILL, SCRATCH):
            _mount(container, place)
        return container

    def _options(self) -> list[str]:
        """Return the gateway's command line."""
        store = self._store.online
        options = {
            "--host": "0.0.0.0",  # noqa: S104 - in a network that only the load balancer reaches
            "--port": str(GATEWAY),
            "--workers": str(WORKERS),
            "--region": Stack.of(self).region,
            "--redis-url": store.url("gateway"),
            "--endpoint-name": ENDPOINT,
            "--decisions-stream": DECISIONS,
            "--bundle": f"{PREPARED}/bundle",
            "--api-keys": f"{PREPARED}/api-keys.yaml",
            "--spill-dir": SPILL,
        }
        pairs = [
            *options.items(),
            *(("--redis-replica-url", u) for u in store.read_urls("gateway")),
        ]
        return [part for pair in pairs for part in pair]

    def _collector(self) -> aws_ecs.ContainerDefinition:
        tag = CfnParameter(
            Stack.of(self), "CollectorImageTag", description="Tag of the collector's copied image"
        )
        records = self._log_group("MetricRecords")
        records.grant_write(self.definition.task_role)
        return self.definition.add_container(
            COLLECT,
            image=aws_ecs.ContainerImage.from_ecr_repository(
                self._artifacts.collector_images, tag.value_as_string
            ),
            essential=False,  # a gateway without metrics still answers
            readonly_root_filesystem=True,
            environment={
                collector.CONFIGURATION_VARIABLE: collector.configuration(records.log_group_name)
            },
            secrets={
                collector.KEY_VARIABLE: aws_ecs.Secret.from_secrets_manager(self._keys, "collector")
            },
            logging=self._logging(COLLECT),
        )

    def _container(
        self, name: str, *, essential: bool, command: Sequence[str], **options: object
    ) -> aws_ecs.ContainerDefinition:
        return self.definition.add_container(
            name,
            image=aws_ecs.ContainerImage.from_ecr_repository(
                self._artifacts.gateway_images, self._image_tag.value_as_string
            ),
            essential=essential,
            command=list(command),
            readonly_root_filesystem=True,
            user=USER,
            logging=self._logging(name),
            **options,  # type: ignore[arg-type]
        )

    def _allow(self) -> None:
        role = self.definition.task_role
        assert isinstance(role, aws_iam.Role)
        stack = Stack.of(self)
        endpoint = stack.format_arn(
            service="sagemaker", resource="endpoint", resource_name=ENDPOINT
        )
        allow(role, ("sagemaker:InvokeEndpoint",), endpoint)
        allow(role, ("kinesis:PutRecords",), self._streams.streams[DECISIONS].stream_arn)
        allow_key(role, self._streams.key)
        allow(role, ("s3:GetObject",), f"{self._artifacts.bucket.bucket_arn}/{MODELS}/*")
        allow_key(role, self._artifacts.key)
        starts = self.definition.obtain_execution_role()
        assert isinstance(starts, aws_iam.Role)
        allow_key(starts, self._store.key)

    def _logging(self, prefix: str) -> aws_ecs.LogDriver:
        return aws_ecs.LogDriver.aws_logs(stream_prefix=prefix, log_group=self._logs)

    def _log_group(self, name: str) -> aws_logs.LogGroup:
        return aws_logs.LogGroup(
            self,
            name,
            retention=aws_logs.RetentionDays.ONE_MONTH,
            removal_policy=RemovalPolicy.DESTROY,
        )


def _mount(container: aws_ecs.ContainerDefinition, place: str) -> None:
    container.add_mount_points(
        aws_ecs.MountPoint(source_volume=place.strip("/"), container_path=place, read_only=False)
    )
