"""The model stack: the SageMaker endpoint, its autoscaling, and the alarms of its variants."""

from aws_cdk import CfnCondition, CfnParameter, Fn, Stack, Token, aws_sagemaker
from aws_cdk import aws_applicationautoscaling as autoscaling
from constructs import Construct

from deploy import sizing
from deploy.names import ENDPOINT, PRODUCTION_VARIANT, SHADOW_VARIANT, guardrail_alarms
from deploy.stacks.artifacts import MODELS
from deploy.stacks.foundation import Foundation
from deploy.stacks.guardrails import Guardrails
from deploy.stacks.model_role import CAPTURED, VARIANTS, model_role

CAPTURED_PERCENT = 1
MOST_INSTANCES_FACTOR = 2
"""Autoscaling may double what the peak needs."""

Config = aws_sagemaker.CfnEndpointConfig
Variant = Config.ProductionVariantProperty


_GUARDED = aws_sagemaker.CfnEndpoint.DeploymentConfigProperty(
    blue_green_update_policy=aws_sagemaker.CfnEndpoint.BlueGreenUpdatePolicyProperty(
        traffic_routing_configuration=aws_sagemaker.CfnEndpoint.TrafficRoutingConfigProperty(
            type="CANARY",
            canary_size=aws_sagemaker.CfnEndpoint.CapacitySizeProperty(
                type="CAPACITY_PERCENT", value=25
            ),
            wait_interval_in_seconds=600,
        ),
        termination_wait_in_seconds=600,
    ),
    auto_rollback_configuration=aws_sagemaker.CfnEndpoint.AutoRollbackConfigProperty(
        alarms=[
            aws_sagemaker.CfnEndpoint.AlarmProperty(alarm_name=name)
            for name in guardrail_alarms(PRODUCTION_VARIANT)
        ]
    ),
)
"""Also a model that is changed by this stack is watched by alarms, and taken back by itself."""


class ModelStack(Stack):
    """The endpoint as it is first deployed.

    Later models are rolled out by ``deploy.promotion``, which makes endpoint configurations of its
    own like this one: the stack is deployed again only with the parameters of its last time.

    Attributes:
        endpoint_arn: Of the endpoint.
    """

    def __init__(self, scope: Construct, identifier: str, foundation: Foundation) -> None:
        super().__init__(scope, identifier, description="Ranking model of provider ranking")
        self._artifacts, self._network = foundation.artifacts, foundation.network
        self._store = foundation.store
        self._image = CfnParameter(self, "ImageTag", description="Tag of the endpoint's image")
        self._role = model_role(self, foundation)
        self.instances = sizing.units(sizing.MEASURED.endpoint, sizing.ENDPOINT_INSTANCE)
        config = self._config()
        endpoint = aws_sagemaker.CfnEndpoint(
            self,
            "Endpoint",
            endpoint_name=ENDPOINT,
            endpoint_config_name=config.attr_endpoint_config_name,
            deployment_config=_GUARDED,
            retain_all_variant_properties=True,
        )
        self.endpoint_arn = self.format_arn(
            service="sagemaker", resource="endpoint", resource_name=ENDPOINT
        )
        self._scale(endpoint)
        for variant in VARIANTS:
            Guardrails(self, f"{variant.capitalize()}Guardrails", variant)

    def _config(self) -> Config:
        production = self._model("Model", self._bundle("ModelObject"))
        shadow_bundle = self._bundle("ShadowModelObject", default="")
        has_shadow = CfnCondition(
            self,
            "HasShadow",
            expression=Fn.condition_not(Fn.condition_equals(shadow_bundle.value_as_string, "")),
        )
        shadow = self._model("ShadowModel", shadow_bundle)
        shadow.cfn_options.condition = has_shadow
        captured = f"s3://{self._store.offline.decisions.bucket_name}/{CAPTURED}"
        config = Config(
            self,
            "Config",
            kms_key_id=self._store.key.key_arn,
            production_variants=[self._variant(PRODUCTION_VARIANT, production)],
            data_capture_config=Config.DataCaptureConfigProperty(
                enable_capture=True,
                initial_sampling_percentage=CAPTURED_PERCENT,
                destination_s3_uri=captured,
                kms_key_id=self._store.key.key_arn,
                capture_options=[
                    Config.CaptureOptionProperty(capture_mode=mode) for mode in ("Input", "Output")
                ],
            ),
        )
        config.add_property_override(
            "ShadowProductionVariants",
            Fn.condition_if(
                has_shadow.logical_id,
                [_template_form(SHADOW_VARIANT, shadow, self.instances)],
                Token.as_any(Fn.ref("AWS::NoValue")),
            ),
        )
        return config

    def _bundle(self, name: str, default: str | None = None) -> CfnParameter:
        return CfnParameter(
            self,
            name,
            description=f"Key of a model.tar.gz in the artifacts bucket, below {MODELS}/",
            default=default,
        )

    def _model(self, name: str, bundle: CfnParameter) -> aws_sagemaker.CfnModel:
        images = self._artifacts.endpoint_images
        bucket = self._artifacts.bucket.bucket_name
        model = aws_sagemaker.CfnModel(
            self,
            name,
            execution_role_arn=self._role.role_arn,
            # The container calls nobody; what it scores and answers comes through SageMaker.
            enable_network_isolation=True,
            vpc_config=aws_sagemaker.CfnModel.VpcConfigProperty(
                subnets=[subnet.subnet_id for subnet in self._network.vpc.isolated_subnets],
                security_group_ids=[self._network.model.security_group_id],
            ),
            primary_container=aws_sagemaker.CfnModel.ContainerDefinitionProperty(
                image=images.repository_uri_for_tag(self._image.value_as_string),
                model_data_url=f"s3://{bucket}/{bundle.value_as_string}",
            ),
        )
        model.node.add_dependency(self._role.node.find_child("DefaultPolicy"))
        return model

    def _variant(self, name: str, model: aws_sagemaker.CfnModel) -> Variant:
        return Variant(
            variant_name=name,
            model_name=model.attr_model_name,
            instance_type=sizing.ENDPOINT_INSTANCE.kind,
            # SageMaker spreads instances over the model's zones.
            initial_instance_count=self.instances,
            initial_variant_weight=1,
        )

    def _scale(self, endpoint: aws_sagemaker.CfnEndpoint) -> None:
        """Let instances grow beyond what the peak needs; they never become fewer than that."""
        target = autoscaling.ScalableTarget(
            self,
            "Instances",
            service_namespace=autoscaling.ServiceNamespace.SAGEMAKER,
            scalable_dimension="sagemaker:variant:DesiredInstanceCount",
            resource_id=f"endpoint/{ENDPOINT}/variant/{PRODUCTION_VARIANT}",
            min_capacity=self.instances,
            max_capacity=MOST_INSTANCES_FACTOR * self.instances,
        )
        target.node.add_dependency(endpoint)
        a_second = sizing.decisions_per_s_a_unit(
            sizing.MEASURED.endpoint, sizing.ENDPOINT_INSTANCE, sizing.steady_utilisation()
        )
        target.scale_to_track_metric(
            "Load",
            predefined_metric=autoscaling.PredefinedMetric.SAGEMAKER_VARIANT_INVOCATIONS_PER_INSTANCE,
            target_value=round(60 * a_second),
        )


def _template_form(name: str, model: aws_sagemaker.CfnModel, instances: int) -> dict[str, object]:
    """Return a variant as the template has it: a condition takes no typed property."""
    return {
        "VariantName": name,
        "ModelName": model.attr_model_name,
        "InstanceType": sizing.ENDPOINT_INSTANCE.kind,
        "InitialInstanceCount": instances,
        "InitialVariantWeight": 1,
    }
