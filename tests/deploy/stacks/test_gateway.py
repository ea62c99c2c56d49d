import json
import re
from pathlib import Path

from deploy import sizing
from deploy.stacks import collector
from tests.deploy.stacks.templates import Properties, Templates

SERVE = Path("scoring/gateway/serve.py").read_text()


def _containers(templates: Templates) -> dict[str, Properties]:
    (task,) = templates.resources("AWS::ECS::TaskDefinition", "gateway")
    return {container["Name"]: container for container in task["ContainerDefinitions"]}


def _attributes(balancer: Properties) -> dict[str, str]:
    return {a["Key"]: a["Value"] for a in balancer["LoadBalancerAttributes"]}


def test_two_zones_of_tasks_carry_the_peak(templates: Templates) -> None:
    """As many tasks stand as the peak needs when a zone is lost, and never fewer."""
    (service,) = templates.resources("AWS::ECS::Service")
    count = service["DesiredCount"]
    left = count * (sizing.ZONES - 1) // sizing.ZONES
    busy = sizing.utilisation(
        sizing.MEASURED.gateway, sizing.GATEWAY_TASK, left, sizing.PEAK_DECISIONS_PER_S
    )
    assert count % sizing.ZONES == 0
    assert busy <= sizing.TARGET_UTILISATION
    network = service["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert len(network["Subnets"]) == sizing.ZONES
    assert network["AssignPublicIp"] == "DISABLED"
    (target,) = templates.resources("AWS::ApplicationAutoScaling::ScalableTarget", "gateway")
    assert target["MinCapacity"] == count < target["MaxCapacity"]


def test_tasks_grow_with_what_is_in_work(templates: Templates) -> None:
    """Concurrency and processors are tracked, at what leaves room for the loss of a zone."""
    policies = templates.resources("AWS::ApplicationAutoScaling::ScalingPolicy", "gateway")
    tracked = [policy["TargetTrackingScalingPolicyConfiguration"] for policy in policies]
    (custom,) = [t for t in tracked if "CustomizedMetricSpecification" in t]
    assert custom["CustomizedMetricSpecification"]["MetricName"] == "gateway_in_work"
    (processors,) = [t for t in tracked if "PredefinedMetricSpecification" in t]
    assert processors["TargetValue"] <= 100 * sizing.steady_utilisation()


def test_a_bad_deployment_is_rolled_back(templates: Templates) -> None:
    """Tasks that do not become healthy end a deployment, and the former ones stay."""
    (service,) = templates.resources("AWS::ECS::Service")
    deployment = service["DeploymentConfiguration"]
    assert deployment["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}
    assert deployment["MinimumHealthyPercent"] == 100


def test_the_balancer_is_internal_and_speaks_tls_only(templates: Templates) -> None:
    """Clients reach it from the network alone, by TLS 1.2 and newer, with sound headers."""
    (balancer,) = templates.resources("AWS::ElasticLoadBalancingV2::LoadBalancer")
    assert balancer["Scheme"] == "internal"
    assert len(balancer["Subnets"]) == sizing.ZONES
    attributes = _attributes(balancer)
    assert attributes["routing.http.drop_invalid_header_fields.enabled"] == "true"
    assert attributes["access_logs.s3.enabled"] == "true"
    (listener,) = templates.resources("AWS::ElasticLoadBalancingV2::Listener")
    assert listener["Protocol"] == "HTTPS"
    assert "TLS13-1-2" in listener["SslPolicy"]


def test_the_gateway_keeps_connections_longer_than_the_balancer(templates: Templates) -> None:
    """No connection is closed by the gateway just as the load balancer sends a request on it."""
    (balancer,) = templates.resources("AWS::ElasticLoadBalancingV2::LoadBalancer")
    (kept_s,) = re.findall(r"^KEEP_ALIVE_S = (\d+)$", SERVE, re.MULTILINE)
    assert int(_attributes(balancer)["idle_timeout.timeout_seconds"]) < int(kept_s)


def test_the_command_line_is_one_that_the_gateway_takes(templates: Templates) -> None:
    """Every option that the task gives is one of the gateway's, and none that it needs is left."""
    command = _containers(templates)["gateway"]["Command"]
    given = {part for part in command if isinstance(part, str) and part.startswith("--")}
    known = set(re.findall(r'"(--[a-z-]+)"', SERVE))
    assert given <= known
    assert {"--bundle", "--api-keys", "--endpoint-name", "--redis-url", "--spill-dir"} <= given
    (store,) = templates.resources("AWS::ElastiCache::ReplicationGroup")
    assert command.count("--redis-replica-url") == store["NumCacheClusters"]


def test_containers_run_without_rights(templates: Templates) -> None:
    """No container writes to its root, and ours have a user of their own, who is not root."""
    containers = _containers(templates)
    assert all(container["ReadonlyRootFilesystem"] for container in containers.values())
    assert containers["prepare"]["User"] == containers["gateway"]["User"] == "10001"
    assert [name for name, container in containers.items() if container["Essential"]] == ["gateway"]


def test_secrets_are_handed_over_as_secrets(templates: Templates) -> None:
    """Password and keys come from Secrets Manager, never as plain variables."""
    containers = _containers(templates)
    secrets = {secret["Name"] for c in containers.values() for secret in c["Secrets"]}
    assert secrets == {"API_KEYS", "REDIS_PASSWORD", "SCRAPE_KEY"}
    (password,) = (s for s in containers["gateway"]["Secrets"] if s["Name"] == "REDIS_PASSWORD")
    assert "OnlineGatewayPassword" in json.dumps(password["ValueFrom"])
    plain = {v["Name"] for c in containers.values() for v in c.get("Environment", [])}
    assert plain == {"MODEL_DATA", collector.CONFIGURATION_VARIABLE}


def test_the_collector_reads_the_gateway_with_a_key() -> None:
    """The collector asks the port of the gateway as one who may, and keeps the named metrics."""
    config = json.loads(collector.configuration("log-group"))
    (scrape,) = config["receivers"]["prometheus"]["config"]["scrape_configs"]
    assert scrape["static_configs"][0]["targets"] == ["127.0.0.1:18000"]
    assert scrape["authorization"]["credentials"] == "${env:SCRAPE_KEY}"
    declared = config["exporters"]["awsemf"]["metric_declarations"]
    kept = scrape["metric_relabel_configs"][0]["regex"].split("|")
    assert [f"^{name}$" for name in kept] == [d["metric_name_selectors"][0] for d in declared]
