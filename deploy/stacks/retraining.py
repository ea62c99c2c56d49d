"""The retraining stack: the SageMaker pipeline, the role of its jobs, and its schedule."""

import json

from aws_cdk import CfnParameter, Duration, Stack, aws_iam, aws_sagemaker, aws_scheduler, aws_sqs
from constructs import Construct

from deploy.names import MODEL_PACKAGE_GROUP, PIPELINE
from deploy.stacks.artifacts import MODELS, PIPELINES
from deploy.stacks.foundation import Foundation
from deploy.stacks.permissions import (
    allow,
    allow_image_pull,
    allow_key,
    allow_network_interfaces,
)

ROLE = "roadside-retraining"
"""The definition names the role, and is made before the stack is deployed."""
WEEKLY = "cron(0 9 ? * TUE *)"
KEPT_DAYS = 14
ATTEMPTS = 3

_JOBS = {
    "processing-job": ("CreateProcessingJob", "DescribeProcessingJob", "StopProcessingJob"),
    "training-job": ("CreateTrainingJob", "DescribeTrainingJob", "StopTrainingJob"),
}
_TAGS = ("sagemaker:AddTags", "sagemaker:ListTags")
_REGISTER = (
    "sagemaker:CreateModelPackage",
    "sagemaker:CreateModelPackageGroup",
    "sagemaker:DescribeModelPackage",
    "sagemaker:DescribeModelPackageGroup",
)


class RetrainingStack(Stack):
    """The pipeline and what starts it.

    Attributes:
        missed: The queue of starts that failed.
    """

    def __init__(self, scope: Construct, identifier: str, foundation: Foundation) -> None:
        super().__init__(scope, identifier, description="Retraining of provider ranking")
        self._artifacts, self._store = foundation.artifacts, foundation.store
        role = self._job_role()
        definition = CfnParameter(
            self,
            "DefinitionObject",
            description="Key of the definition (deploy.sagemaker.pipeline) in the artifacts bucket",
            default=f"{PIPELINES}/pipeline.json",
        )
        pipeline = aws_sagemaker.CfnPipeline(
            self,
            "Pipeline",
            pipeline_name=PIPELINE,
            pipeline_description="From an archive to a registered model, or a reason why not",
            role_arn=role.role_arn,
            pipeline_definition={
                "PipelineDefinitionS3Location": {
                    "Bucket": self._artifacts.bucket.bucket_name,
                    "Key": definition.value_as_string,
                }
            },
        )
        pipeline.node.add_dependency(role.node.find_child("DefaultPolicy"))
        self.missed = aws_sqs.Queue(
            self,
            "MissedStarts",
            encryption=aws_sqs.QueueEncryption.KMS,
            encryption_master_key=self._artifacts.key,
            enforce_ssl=True,
            retention_period=Duration.days(KEPT_DAYS),
        )
        self._schedule(pipeline)

    def _job_role(self) -> aws_iam.Role:
        """Return the role of the pipeline and of all of its jobs."""
        role = aws_iam.Role(
            self,
            "JobRole",
            role_name=ROLE,
            assumed_by=aws_iam.ServicePrincipal(
                "sagemaker.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            ),
            description="Runs the steps of retraining",
        )
        for kind, actions in _JOBS.items():
            # The pipeline names its jobs so, and then by execution and step.
            jobs = self._sagemaker(kind, "pipelines-*")
            allow(role, (*(f"sagemaker:{action}" for action in actions), *_TAGS), jobs)
        registered = (
            self._sagemaker("model-package-group", MODEL_PACKAGE_GROUP),
            self._sagemaker("model-package", f"{MODEL_PACKAGE_GROUP}/*"),
        )
        allow(role, (*_REGISTER, *_TAGS), *registered)
        role.add_to_policy(
            aws_iam.PolicyStatement(
                actions=["iam:PassRole"],
                resources=[f"arn:{self.partition}:iam::{self.account}:role/{ROLE}"],
                conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
            )
        )
        self._allow_data(role)
        allow_image_pull(role, self._artifacts.endpoint_images.repository_arn)
        allow_network_interfaces(role)
        groups = f"arn:{self.partition}:logs:{self.region}:{self.account}:log-group:/aws/sagemaker"
        allow(
            role,
            ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"),
            *(f"{groups}/{kind}:*" for kind in ("ProcessingJobs", "TrainingJobs")),
        )
        return role

    def _allow_data(self, role: aws_iam.Role) -> None:
        """Let the jobs read features, decisions and models, and write what they make."""
        made = [f"{self._artifacts.bucket.bucket_arn}/{each}/*" for each in (MODELS, PIPELINES)]
        offline = self._store.offline
        read = [bucket.arn_for_objects("*") for bucket in (offline.rows, offline.decisions)]
        allow(role, ("s3:GetObject",), *made, *read)
        allow(role, ("s3:AbortMultipartUpload", "s3:PutObject"), *made)
        buckets = (self._artifacts.bucket, offline.rows, offline.decisions)
        allow(role, ("s3:ListBucket",), *(bucket.bucket_arn for bucket in buckets))
        for key in (self._artifacts.key, self._store.key):
            allow_key(role, key)

    def _schedule(self, pipeline: aws_sagemaker.CfnPipeline) -> None:
        arn = self._sagemaker("pipeline", PIPELINE)
        role = aws_iam.Role(
            self,
            "StartRole",
            assumed_by=aws_iam.ServicePrincipal(
                "scheduler.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            ),
            description="Starts retraining on its schedule",
        )
        allow(role, ("sagemaker:StartPipelineExecution",), arn)
        allow(role, ("sqs:SendMessage",), self.missed.queue_arn)
        allow_key(role, self._artifacts.key)
        every = CfnParameter(self, "Schedule", description="When to retrain, UTC", default=WEEKLY)
        archive = CfnParameter(
            self, "ArchiveS3Uri", description="The archive, s3://... (docs/retraining.md)"
        )
        schedule = aws_scheduler.CfnSchedule(
            self,
            "Retraining",
            description="Retrains the ranking model",
            schedule_expression=every.value_as_string,
            schedule_expression_timezone="UTC",
            flexible_time_window=aws_scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=aws_scheduler.CfnSchedule.TargetProperty(
                arn=f"arn:{self.partition}:scheduler:::aws-sdk:sagemaker:startPipelineExecution",
                role_arn=role.role_arn,
                input=_start(archive.value_as_string),
                retry_policy=aws_scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_retry_attempts=ATTEMPTS
                ),
                dead_letter_config=aws_scheduler.CfnSchedule.DeadLetterConfigProperty(
                    arn=self.missed.queue_arn
                ),
            ),
        )
        schedule.node.add_dependency(pipeline)
        schedule.node.add_dependency(role.node.find_child("DefaultPolicy"))

    def _sagemaker(self, kind: str, name: str) -> str:
        return self.format_arn(service="sagemaker", resource=kind, resource_name=name)


def _start(archive: str) -> str:
    """Return how an execution is started: the scheduler fills in when it was due."""
    due = "<aws.scheduler.scheduled-time>"
    return json.dumps(
        {
            "PipelineName": PIPELINE,
            # The same for every attempt at one start, so that it is started once.
            "ClientRequestToken": f"<aws.scheduler.execution-id>-{due}",
            "PipelineParameters": [
                {"Name": "ArchiveS3Uri", "Value": archive},
                {"Name": "AsOf", "Value": due},
            ],
        }
    )
