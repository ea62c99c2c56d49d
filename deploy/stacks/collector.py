"""The collector beside each gateway task: from ``/metrics`` to CloudWatch.

It is AWS's distribution of the OpenTelemetry collector, which takes its configuration from a
variable. CloudWatch gets no histograms by this way, so percentiles come from the load balancer.
"""

import json
from collections.abc import Mapping
from typing import Any

from deploy.measured import GATEWAY, GATEWAY_SERVICE, SERVICE_LABEL
from deploy.names import NAMESPACE
from deploy.stacks.network import GATEWAY as GATEWAY_PORT

CONFIGURATION_VARIABLE = "AOT_CONFIG_CONTENT"
KEY_VARIABLE = "SCRAPE_KEY"
EVERY_S = 15


def configuration(log_group: str) -> str:
    """Return the configuration, as JSON (which is YAML).

    Args:
        log_group: Takes the records of which CloudWatch makes metrics.
    """
    return json.dumps(
        {
            "receivers": {"prometheus": {"config": {"scrape_configs": [_scrape()]}}},
            "processors": {"batch": {}},
            "exporters": {"awsemf": _export(log_group)},
            "service": {
                "pipelines": {
                    "metrics": {
                        "receivers": ["prometheus"],
                        "processors": ["batch"],
                        "exporters": ["awsemf"],
                    }
                }
            },
        }
    )


def _scrape() -> dict[str, Any]:
    return {
        "job_name": GATEWAY_SERVICE,
        "scrape_interval": f"{EVERY_S}s",
        # The gateway lets nobody read its metrics without an API key.
        "authorization": {"credentials": f"${{env:{KEY_VARIABLE}}}"},
        "static_configs": [
            {
                "targets": [f"127.0.0.1:{GATEWAY_PORT}"],
                "labels": {SERVICE_LABEL: GATEWAY_SERVICE},
            }
        ],
        "metric_relabel_configs": [
            {"source_labels": ["__name__"], "regex": "|".join(GATEWAY), "action": "keep"}
        ],
    }


def _export(log_group: str) -> dict[str, Any]:
    return {
        "namespace": NAMESPACE,
        "log_group_name": log_group,
        "log_stream_name": GATEWAY_SERVICE,
        "resource_to_telemetry_conversion": {"enabled": False},
        "dimension_rollup_option": "NoDimensionRollup",
        # A count that appears with its first event, a refused answer say, starts at that event.
        "retain_initial_value_of_delta_metric": True,
        "metric_declarations": [
            {"dimensions": dimensions(labels), "metric_name_selectors": [f"^{name}$"]}
            for name, labels in GATEWAY.items()
        ],
    }


def dimensions(labels: tuple[str, ...]) -> list[list[str]]:
    """Return a metric's sets of dimensions: over all values of its labels, and of each value."""
    whole = [SERVICE_LABEL]
    return [whole, [*whole, *labels]] if labels else [whole]


def named(metric: str, labels: Mapping[str, str]) -> dict[str, str]:
    """Return the dimensions that name a metric of the gateway in CloudWatch.

    Raises:
        ValueError: The gateway has no such metric, or not with these labels.
    """
    if metric not in GATEWAY or tuple(labels) not in ((), GATEWAY[metric]):
        raise ValueError(
            f"{metric} with labels {list(labels)} does not reach CloudWatch; take one of "
            "deploy.measured.GATEWAY with all of its labels in their order, or with none"
        )
    return {SERVICE_LABEL: GATEWAY_SERVICE, **labels}
