"""The gateway stack: Fargate tasks over three zones behind an internal load balancer."""

from aws_cdk import (
    CfnOutput,
    CfnParameter,
    Duration,
    Stack,
    aws_cloudwatch,
    aws_ec2,
    aws_ecs,
    aws_iam,
)
from aws_cdk import aws_elasticloadbalancingv2 as balancing
from constructs import Construct

from deploy import sizing
from deploy.names import NAMESPACE
from deploy.stacks import collector, storage
from deploy.stacks.foundation import Foundation
from deploy.stacks.gateway_task import SERVE, GatewayTask
from deploy.stacks.network import GATEWAY, HTTPS

CLUSTER = SERVICE = "roadside-gateway"
MOST_TASKS_FACTOR = 2
"""Autoscaling may double what the peak needs."""
IDLE_TIMEOUT_S = 60
"""Below the gateway's own, which then never closes a connection just as a request comes on it."""
DRAIN_S = 15
START_S = 60
"""Until a new task is judged: it fetches the bundle and loads it."""


class GatewayStack(Stack):
    """The service.

    Attributes:
        balancer: The load balancer in front.
        targets: The tasks, as the load balancer sees them.
        tasks: How many tasks stand at least.
    """

    def __init__(self, scope: Construct, identifier: str, foundation: Foundation) -> None:
        super().__init__(scope, identifier, description="Gateway of provider ranking")
        self._network = foundation.network
        self.tasks = sizing.units(sizing.MEASURED.gateway, sizing.GATEWAY_TASK)
        self.balancer = self._balancer()
        service = self._service(GatewayTask(self, "Gateway", foundation))
        self.targets = self._listen(service)
        self._scale(service)
        CfnOutput(self, "Address", value=self.balancer.load_balancer_dns_name)

    def _balancer(self) -> balancing.ApplicationLoadBalancer:
        balancer = balancing.ApplicationLoadBalancer(
            self,
            "Balancer",
            vpc=self._network.vpc,
            internet_facing=False,
            security_group=self._network.balancer,
            deletion_protection=True,
            drop_invalid_header_fields=True,
            idle_timeout=Duration.seconds(IDLE_TIMEOUT_S),
        )
        logs = storage.log_bucket(self, "AccessLogs")
        written = f"{logs.bucket_arn}/AWSLogs/{self.account}/*"
        logs.add_to_resource_policy(
            aws_iam.PolicyStatement(
                actions=["s3:PutObject"],
                principals=[
                    aws_iam.ServicePrincipal("logdelivery.elasticloadbalancing.amazonaws.com")
                ],
                resources=[written],
            )
        )
        balancer.set_attribute("access_logs.s3.enabled", "true")
        balancer.set_attribute("access_logs.s3.bucket", logs.bucket_name)
        if logs.policy:
            balancer.node.add_dependency(logs.policy)
        return balancer

    def _service(self, task: GatewayTask) -> aws_ecs.FargateService:
        cluster = aws_ecs.Cluster(
            self,
            "Cluster",
            cluster_name=CLUSTER,
            vpc=self._network.vpc,
            container_insights_v2=aws_ecs.ContainerInsights.ENABLED,
        )
        return aws_ecs.FargateService(
            self,
            "Service",
            service_name=SERVICE,
            cluster=cluster,
            task_definition=task.definition,
            desired_count=self.tasks,
            vpc_subnets=aws_ec2.SubnetSelection(subnets=self._network.vpc.isolated_subnets),
            security_groups=[self._network.gateway],
            assign_public_ip=False,
            availability_zone_rebalancing=aws_ecs.AvailabilityZoneRebalancing.ENABLED,
            min_healthy_percent=100,
            max_healthy_percent=200,
            circuit_breaker=aws_ecs.DeploymentCircuitBreaker(rollback=True),
            health_check_grace_period=Duration.seconds(START_S),
        )

    def _listen(self, service: aws_ecs.FargateService) -> balancing.ApplicationTargetGroup:
        certificate = CfnParameter(
            self, "CertificateArn", description="Certificate of the name that clients call"
        )
        group = balancing.ApplicationTargetGroup(
            self,
            "Tasks",
            vpc=self._network.vpc,
            port=GATEWAY,
            protocol=balancing.ApplicationProtocol.HTTP,
            target_type=balancing.TargetType.IP,
            load_balancing_algorithm_type=(
                balancing.TargetGroupLoadBalancingAlgorithmType.LEAST_OUTSTANDING_REQUESTS
            ),
            deregistration_delay=Duration.seconds(DRAIN_S),
            # Whether the process lives, not whether all behind it does: when Redis is away every
            # task still answers, and none must be taken out for it.
            health_check=balancing.HealthCheck(
                path="/healthz",
                interval=Duration.seconds(5),
                timeout=Duration.seconds(3),
                healthy_threshold_count=2,
                unhealthy_threshold_count=2,
            ),
        )
        group.add_target(service.load_balancer_target(container_name=SERVE, container_port=GATEWAY))
        self.balancer.add_listener(
            "Https",
            port=HTTPS,
            protocol=balancing.ApplicationProtocol.HTTPS,
            ssl_policy=balancing.SslPolicy.TLS13_RES,
            certificates=[balancing.ListenerCertificate(certificate.value_as_string)],
            default_target_groups=[group],
            open=False,
        )
        return group

    def _scale(self, service: aws_ecs.FargateService) -> None:
        """Let tasks grow beyond what the peak needs; they never become fewer than that."""
        scaling = service.auto_scale_task_count(
            min_capacity=self.tasks, max_capacity=MOST_TASKS_FACTOR * self.tasks
        )
        steady = sizing.steady_utilisation()
        rate = sizing.decisions_per_s_a_unit(sizing.MEASURED.gateway, sizing.GATEWAY_TASK, steady)
        scaling.scale_to_track_custom_metric(
            "Concurrency",
            metric=aws_cloudwatch.Metric(
                namespace=NAMESPACE,
                metric_name="gateway_in_work",
                dimensions_map=collector.named("gateway_in_work", {}),
                statistic="Average",
                period=Duration.minutes(1),
            ),
            target_value=round(sizing.concurrency(rate, sizing.MEASURED_ANSWER_MS), 1),
        )
        scaling.scale_on_cpu_utilization("Processors", target_utilization_percent=int(100 * steady))
