"""The observability stack: an alarm and a graph for every objective, and who is told."""

from aws_cdk import CfnOutput, CfnParameter, Stack, aws_cloudwatch, aws_iam, aws_sns
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from deploy.names import (
    CANDIDATE_VARIANT,
    PIPELINE,
    PRODUCTION_VARIANT,
    SHADOW_VARIANT,
    guardrail_alarms,
)
from deploy.stacks import storage
from deploy.stacks.objective import Deployed, Objective
from deploy.stacks.objectives_of_features import fresh, storing
from deploy.stacks.objectives_of_learning import learning
from deploy.stacks.objectives_of_serving import falling_back, serving

PREFIX = "roadside"
DASHBOARD = "roadside-dispatch"
GRAPH_WIDTH, GRAPH_HEIGHT, WHOLE_WIDTH = 8, 6, 24
_TELLING = ("cloudwatch.amazonaws.com", "events.amazonaws.com")
"""Services that publish to the topic, and so use its key."""

SECTIONS = {
    "What clients notice": serving,
    "Lower rungs and the decision log": falling_back,
    "Fresh features": fresh,
    "Online store": storing,
    "The model": learning,
}
"""The parts of the dashboard, in their order; together they are all objectives."""

Comparison = aws_cloudwatch.ComparisonOperator


class ObservabilityStack(Stack):
    """One dashboard, one topic, and an alarm for every objective."""

    def __init__(self, scope: Construct, identifier: str, deployed: Deployed) -> None:
        super().__init__(scope, identifier, description="Objectives of provider ranking")
        topic = self._topic()
        dashboard = aws_cloudwatch.Dashboard(self, "Dashboard", dashboard_name=DASHBOARD)
        dashboard.add_widgets(self._guardrails())
        for title, section in SECTIONS.items():
            dashboard.add_widgets(
                aws_cloudwatch.TextWidget(markdown=f"## {title}", width=WHOLE_WIDTH, height=1)
            )
            objectives = list(section(deployed))
            for objective in objectives:
                self._alarm(objective).add_alarm_action(actions.SnsAction(topic))
            dashboard.add_widgets(*(_graph(objective) for objective in objectives))
        self._tell_failed_retraining(topic)
        CfnOutput(self, "AlarmTopic", value=topic.topic_arn)

    def _topic(self) -> aws_sns.Topic:
        key = storage.key(self, "Key", "Encrypts the alarms of provider ranking")
        for service in _TELLING:
            key.grant_encrypt_decrypt(aws_iam.ServicePrincipal(service))
        topic = aws_sns.Topic(self, "Alarms", master_key=key, enforce_ssl=True)
        email = CfnParameter(self, "OnCallEmail", description="Who is told of alarms")
        topic.add_subscription(subscriptions.EmailSubscription(email.value_as_string))
        return topic

    def _alarm(self, objective: Objective) -> aws_cloudwatch.Alarm:
        return aws_cloudwatch.Alarm(
            self,
            objective.name,
            alarm_name=f"{PREFIX}-{objective.name}",
            alarm_description=f"{objective.meaning}. {objective.runbook}",
            metric=objective.metric,
            threshold=objective.threshold,
            comparison_operator=(
                Comparison.LESS_THAN_THRESHOLD
                if objective.is_least
                else Comparison.GREATER_THAN_THRESHOLD
            ),
            evaluation_periods=objective.periods,
            datapoints_to_alarm=objective.breaching,
            treat_missing_data=(
                aws_cloudwatch.TreatMissingData.BREACHING
                if objective.silence_is_bad
                else aws_cloudwatch.TreatMissingData.NOT_BREACHING
            ),
        )

    def _guardrails(self) -> aws_cloudwatch.AlarmStatusWidget:
        names = [
            name
            for variant in (PRODUCTION_VARIANT, CANDIDATE_VARIANT, SHADOW_VARIANT)
            for name in guardrail_alarms(variant)
        ]
        return aws_cloudwatch.AlarmStatusWidget(
            title="Guardrails of the endpoint's variants",
            width=WHOLE_WIDTH,
            alarms=[
                aws_cloudwatch.Alarm.from_alarm_arn(
                    self,
                    name,
                    f"arn:{self.partition}:cloudwatch:{self.region}:{self.account}:alarm:{name}",
                )
                for name in names
            ],
        )

    def _tell_failed_retraining(self, topic: aws_sns.Topic) -> None:
        """Tell of an execution that failed, be it a gate that refused data or model."""
        pipeline = (
            f"arn:{self.partition}:sagemaker:{self.region}:{self.account}:pipeline/{PIPELINE}"
        )
        events.Rule(
            self,
            "FailedRetraining",
            description="An execution of the training pipeline failed",
            event_pattern=events.EventPattern(
                source=["aws.sagemaker"],
                detail_type=["SageMaker Model Building Pipeline Execution Status Change"],
                detail={"currentPipelineExecutionStatus": ["Failed"], "pipelineArn": [pipeline]},
            ),
            targets=[targets.SnsTopic(topic)],
        )


def _graph(objective: Objective) -> aws_cloudwatch.GraphWidget:
    return aws_cloudwatch.GraphWidget(
        title=objective.name,
        width=GRAPH_WIDTH,
        height=GRAPH_HEIGHT,
        left=[objective.metric],
        left_annotations=[
            aws_cloudwatch.HorizontalAnnotation(value=objective.threshold, label=objective.meaning)
        ],
    )
