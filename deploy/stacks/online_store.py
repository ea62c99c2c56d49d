"""The online store: Valkey with a primary and replicas over three zones."""

from aws_cdk import (
    Fn,
    RemovalPolicy,
    aws_ec2,
    aws_elasticache,
    aws_kms,
    aws_logs,
    aws_secretsmanager,
)
from constructs import Construct

from deploy import sizing
from deploy.stacks.network import REDIS, NetworkStack
from deploy.store_users import COMMANDS

NAME = "roadside-features"
ENGINE, ENGINE_VERSION, FAMILY = "valkey", "8.0", "valkey8"
PARAMETERS = {
    # Rows are short hashes: in one piece they take a third less memory and processor time.
    "hash-max-listpack-value": "256",
    # An evicted geo index would hide providers; a full store must refuse writes instead.
    "maxmemory-policy": "noeviction",
}
SNAPSHOTS_KEPT_DAYS = 3


class OnlineStore(Construct):
    """A replication group without shards, of as many nodes as reading needs when a zone is lost.

    Shards are no way to grow: a batch of candidates and the geo index would lie on different
    nodes. Every node is read from, and the primary written to.

    Attributes:
        nodes: How many nodes there are, the primary among them.
        address: Of the primary, as it is after a failover too.
        passwords: Secrets by the user's name.
    """

    def __init__(
        self, scope: Construct, name: str, network: NetworkStack, key: aws_kms.Key
    ) -> None:
        super().__init__(scope, name)
        self._key = key
        self.nodes = sizing.units(sizing.MEASURED.store, sizing.STORE_NODE)
        self.passwords = {user: self._password(user) for user in COMMANDS}
        users = [self._user(user, commands) for user, commands in COMMANDS.items()]
        group = aws_elasticache.CfnUserGroup(
            self, "Users", user_group_id=NAME, engine=ENGINE, user_ids=[u.user_id for u in users]
        )
        for user in users:
            group.add_resource_dependency(user)
        self._store = self._replication_group(network, group)
        self.address = self._store.attr_primary_end_point_address

    def url(self, user: str) -> str:
        """Return the primary's URL without the password."""
        return _url(user, self.address)

    def read_urls(self, user: str) -> list[str]:
        """Return the URL of every node, without the password."""
        addresses = self._store.attr_read_end_point_addresses_list
        return [_url(user, Fn.select(node, addresses)) for node in range(self.nodes)]

    def url_with_password(self, user: str) -> str:
        """Return the primary's URL with a reference to the password, which the deployment fills in.

        For Flink alone, whose settings can hold nothing but text.
        """
        password = self.passwords[user].secret_value.unsafe_unwrap()
        return _url(f"{user}:{password}", self.address)

    def _password(self, user: str) -> aws_secretsmanager.Secret:
        return aws_secretsmanager.Secret(
            self,
            f"{user.capitalize()}Password",
            description=f"Password of the user {user} of the online store",
            encryption_key=self._key,
            generate_secret_string=aws_secretsmanager.SecretStringGenerator(
                password_length=64, exclude_punctuation=True
            ),
        )

    def _user(self, user: str, commands: str) -> aws_elasticache.CfnUser:
        return aws_elasticache.CfnUser(
            self,
            f"{user.capitalize()}User",
            engine=ENGINE,
            user_id=f"{NAME}-{user}",
            user_name=user,
            access_string=commands,
            passwords=[self.passwords[user].secret_value.unsafe_unwrap()],
        )

    def _replication_group(
        self, network: NetworkStack, users: aws_elasticache.CfnUserGroup
    ) -> aws_elasticache.CfnReplicationGroup:
        private = network.vpc.select_subnets(subnet_type=aws_ec2.SubnetType.PRIVATE_ISOLATED)
        subnets = aws_elasticache.CfnSubnetGroup(
            self,
            "Subnets",
            description="Private subnets, one a zone",
            subnet_ids=private.subnet_ids,
        )
        parameters = aws_elasticache.CfnParameterGroup(
            self,
            "Parameters",
            cache_parameter_group_family=FAMILY,
            description="What rows and the geo index need of the online store",
            properties=PARAMETERS,
        )
        zones = private.availability_zones
        return aws_elasticache.CfnReplicationGroup(
            self,
            "Store",
            replication_group_id=NAME,
            replication_group_description="Feature rows, geo index and beacons",
            engine=ENGINE,
            engine_version=ENGINE_VERSION,
            cache_node_type=sizing.STORE_NODE.kind,
            cache_parameter_group_name=parameters.ref,
            cache_subnet_group_name=subnets.ref,
            security_group_ids=[network.store.security_group_id],
            port=REDIS,
            num_cache_clusters=self.nodes,
            preferred_cache_cluster_a_zs=[zones[node % len(zones)] for node in range(self.nodes)],
            automatic_failover_enabled=True,
            multi_az_enabled=True,
            transit_encryption_enabled=True,
            at_rest_encryption_enabled=True,
            kms_key_id=self._key.key_arn,
            user_group_ids=[users.ref],
            snapshot_retention_limit=SNAPSHOTS_KEPT_DAYS,
            snapshot_window="08:00-09:00",
            preferred_maintenance_window="tue:09:30-tue:10:30",
            auto_minor_version_upgrade=True,
            log_delivery_configurations=[self._log("slow-log"), self._log("engine-log")],
        )

    def _log(
        self, kind: str
    ) -> aws_elasticache.CfnReplicationGroup.LogDeliveryConfigurationRequestProperty:
        group = aws_logs.LogGroup(
            self,
            kind,
            retention=aws_logs.RetentionDays.ONE_MONTH,
            removal_policy=RemovalPolicy.DESTROY,
        )
        properties = aws_elasticache.CfnReplicationGroup
        return properties.LogDeliveryConfigurationRequestProperty(
            log_type=kind,
            log_format="json",
            destination_type="cloudwatch-logs",
            destination_details=properties.DestinationDetailsProperty(
                cloud_watch_logs_details=properties.CloudWatchLogsDestinationDetailsProperty(
                    log_group=group.log_group_name
                )
            ),
        )


def node(number: int) -> str:
    """Return the service's name of a node, counted from 1."""
    return f"{NAME}-{number:03d}"


def _url(user: str, address: str) -> str:
    return f"rediss://{user}@{address}:{REDIS}/0"
