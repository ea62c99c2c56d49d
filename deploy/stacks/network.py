"""The network stack: three private zones without a way to the internet, and who may reach whom."""

from aws_cdk import CfnOutput, CfnParameter, Fn, RemovalPolicy, Stack, aws_ec2, aws_logs
from constructs import Construct

from deploy.sizing import ZONES

CIDR = "10.40.0.0/16"
SUBNET_MASK = 20
"""4,091 addresses a zone: a task, an instance and a parallel Flink worker each take one."""

HTTPS, REDIS, GATEWAY = 443, 6379, 18000

_ENDPOINTS = {
    "Athena": aws_ec2.InterfaceVpcEndpointAwsService.ATHENA,
    "Glue": aws_ec2.InterfaceVpcEndpointAwsService.GLUE,
    "Images": aws_ec2.InterfaceVpcEndpointAwsService.ECR,
    "ImageLayers": aws_ec2.InterfaceVpcEndpointAwsService.ECR_DOCKER,
    "Kinesis": aws_ec2.InterfaceVpcEndpointAwsService.KINESIS_STREAMS,
    "Logs": aws_ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
    "Metrics": aws_ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_MONITORING,
    "ModelRuntime": aws_ec2.InterfaceVpcEndpointAwsService.SAGEMAKER_RUNTIME,
    "Secrets": aws_ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
}
"""Services of AWS that something here calls, by the names of their endpoints in the VPC."""


class NetworkStack(Stack):
    """The VPC and the security groups.

    Attributes:
        vpc: Three isolated subnets, one a zone.
        balancer: Of the load balancer; clients reach it by HTTPS.
        gateway: Of the gateway's tasks.
        jobs: Of the Flink application.
        model: Of the endpoint's instances, which fetch their bundle and call nobody else.
        learning: Of training and of the daily monitoring.
        store: Of the online store.
    """

    def __init__(self, scope: Construct, identifier: str) -> None:
        super().__init__(scope, identifier, description="Network of provider ranking")
        self.vpc = aws_ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=aws_ec2.IpAddresses.cidr(CIDR),
            availability_zones=[Fn.select(zone, Fn.get_azs()) for zone in range(ZONES)],
            nat_gateways=0,
            subnet_configuration=[
                aws_ec2.SubnetConfiguration(
                    name="private",
                    subnet_type=aws_ec2.SubnetType.PRIVATE_ISOLATED,
                    cidr_mask=SUBNET_MASK,
                )
            ],
        )
        self._log_flows()
        self.balancer = self._group("Balancer", "Load balancer of the gateway")
        self.gateway = self._group("Gateway", "Gateway tasks")
        self.jobs = self._group("Jobs", "Flink application")
        self.model = self._group("Model", "Endpoint instances")
        self.learning = self._group("Learning", "Training and daily monitoring")
        self.store = self._group("Store", "Online store")
        self._connect()
        self._reach_services()
        # What the definition of the training pipeline is made with.
        subnets = [subnet.subnet_id for subnet in self.vpc.isolated_subnets]
        CfnOutput(self, "Subnets", value=Fn.join(" ", subnets))
        CfnOutput(self, "LearningSecurityGroup", value=self.learning.security_group_id)

    def _group(self, name: str, description: str) -> aws_ec2.SecurityGroup:
        return aws_ec2.SecurityGroup(
            self, name, vpc=self.vpc, description=description, allow_all_outbound=False
        )

    def _connect(self) -> None:
        clients = CfnParameter(
            self,
            "ClientCidr",
            description="Addresses of the dispatch software, which reaches the load balancer",
            allowed_pattern=r"\d+\.\d+\.\d+\.\d+/\d+",
            default="10.0.0.0/8",
        )
        https = aws_ec2.Port.tcp(HTTPS)
        self.balancer.add_ingress_rule(
            aws_ec2.Peer.ipv4(clients.value_as_string), https, "Dispatch software"
        )
        _let(self.balancer, self.gateway, GATEWAY)
        for client in (self.gateway, self.jobs, self.learning):
            _let(client, self.store, REDIS)
        for client in (self.gateway, self.jobs, self.learning, self.model):
            # No route leads out of the VPC but S3's, whose addresses no security group can name.
            client.add_egress_rule(aws_ec2.Peer.any_ipv4(), https, "Services of AWS")

    def _reach_services(self) -> None:
        self.vpc.add_gateway_endpoint("Objects", service=aws_ec2.GatewayVpcEndpointAwsService.S3)
        services = self._group("Services", "Endpoints of services of AWS")
        for client in (self.gateway, self.jobs, self.learning):
            services.add_ingress_rule(client, aws_ec2.Port.tcp(HTTPS), "Calls a service of AWS")
        for name, service in _ENDPOINTS.items():
            self.vpc.add_interface_endpoint(
                name, service=service, security_groups=[services], open=False
            )

    def _log_flows(self) -> None:
        flows = aws_logs.LogGroup(
            self,
            "Flows",
            retention=aws_logs.RetentionDays.ONE_MONTH,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.vpc.add_flow_log(
            "FlowLog", destination=aws_ec2.FlowLogDestination.to_cloud_watch_logs(flows)
        )


def _let(client: aws_ec2.SecurityGroup, server: aws_ec2.SecurityGroup, port: int) -> None:
    """Let a group open connections to another one, and the other accept them."""
    client.connections.allow_to(server, aws_ec2.Port.tcp(port))
