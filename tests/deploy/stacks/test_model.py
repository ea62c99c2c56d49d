import json

import pytest

from deploy import sizing
from deploy.names import (
    CANDIDATE_VARIANT,
    ENDPOINT,
    PRODUCTION_VARIANT,
    SHADOW_VARIANT,
    guardrail_alarms,
)
from tests.deploy.stacks.templates import Properties, Templates

VARIANTS = (PRODUCTION_VARIANT, CANDIDATE_VARIANT, SHADOW_VARIANT)
_ENDPOINT = "AWS::SageMaker::Endpoint"


def _alarms(templates: Templates) -> dict[str, Properties]:
    return {a["AlarmName"]: a for a in templates.resources("AWS::CloudWatch::Alarm", "model")}


def test_two_zones_of_instances_carry_the_peak(templates: Templates) -> None:
    """As many instances stand as the peak needs when a zone is lost, and never fewer."""
    (config,) = templates.resources("AWS::SageMaker::EndpointConfig")
    (variant,) = config["ProductionVariants"]
    count = variant["InitialInstanceCount"]
    assert count % sizing.ZONES == 0
    left = count * (sizing.ZONES - 1) // sizing.ZONES
    busy = sizing.utilisation(
        sizing.MEASURED.endpoint, sizing.ENDPOINT_INSTANCE, left, sizing.PEAK_DECISIONS_PER_S
    )
    assert busy <= sizing.TARGET_UTILISATION
    (target,) = templates.resources("AWS::ApplicationAutoScaling::ScalableTarget", "model")
    assert target["MinCapacity"] == count < target["MaxCapacity"]
    assert target["ResourceId"] == f"endpoint/{ENDPOINT}/variant/{PRODUCTION_VARIANT}"


def test_a_shadow_stands_only_where_one_is_given(templates: Templates) -> None:
    """A second bundle makes a shadow variant; without one there is neither variant nor model."""
    (config,) = templates.resources("AWS::SageMaker::EndpointConfig")
    condition, shadows, otherwise = config["ShadowProductionVariants"]["Fn::If"]
    assert [variant["VariantName"] for variant in shadows] == [SHADOW_VARIANT]
    assert otherwise == {"Ref": "AWS::NoValue"}
    template = templates.template("model")
    assert template["Resources"]["ShadowModel"]["Condition"] == condition
    assert template["Parameters"]["ShadowModelObject"]["Default"] == ""
    assert "Condition" not in template["Resources"]["Model"]


def test_models_run_in_the_network_and_call_nobody(templates: Templates) -> None:
    """Every model's container is isolated, in all three zones."""
    models = templates.resources("AWS::SageMaker::Model")
    assert len(models) == 2
    for model in models:
        assert model["EnableNetworkIsolation"] is True
        assert len(model["VpcConfig"]["Subnets"]) == sizing.ZONES


def test_a_share_of_what_is_scored_is_captured(templates: Templates) -> None:
    """Questions and answers are captured, encrypted, in the decisions' bucket."""
    (config,) = templates.resources("AWS::SageMaker::EndpointConfig")
    capture = config["DataCaptureConfig"]
    assert capture["EnableCapture"] is True
    assert {option["CaptureMode"] for option in capture["CaptureOptions"]} == {"Input", "Output"}
    assert capture["KmsKeyId"] == config["KmsKeyId"]


def test_sagemaker_may_look_at_the_guardrails(templates: Templates) -> None:
    """The endpoint's role may describe each of its alarms: unseen, none rolls anything back."""
    policies = json.dumps(templates.resources("AWS::IAM::Policy", "model"))
    assert "cloudwatch:DescribeAlarms" in policies
    for variant in VARIANTS:
        for name in guardrail_alarms(variant):
            assert f":alarm:{name}" in policies


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_has_its_guardrails(templates: Templates, variant: str) -> None:
    """Every variant, the new one too, has an alarm for latency, errors and invalid answers.

    None is OK without data: a variant that nobody asked has proved nothing.
    """
    alarms = _alarms(templates)
    for name in guardrail_alarms(variant):
        assert alarms[name]["TreatMissingData"] == "missing"
        assert variant in json.dumps(alarms[name].get("Dimensions") or alarms[name]["Metrics"])


def test_no_other_alarms_stand_beside_the_guardrails(templates: Templates) -> None:
    """The alarms of the model's stack are exactly those that a rollout looks for."""
    expected = {name for variant in VARIANTS for name in guardrail_alarms(variant)}
    assert _alarms(templates).keys() == expected


def test_an_update_by_the_stack_is_taken_back_by_alarms(templates: Templates) -> None:
    """A changed model is rolled out on a canary and rolled back by production's guardrails."""
    (endpoint,) = templates.resources(_ENDPOINT)
    deployment = endpoint["DeploymentConfig"]
    routing = deployment["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    assert routing["Type"] == "CANARY"
    named = [alarm["AlarmName"] for alarm in deployment["AutoRollbackConfiguration"]["Alarms"]]
    assert named == list(guardrail_alarms(PRODUCTION_VARIANT))
