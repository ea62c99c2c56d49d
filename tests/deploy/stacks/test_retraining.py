import json

from deploy.names import PIPELINE
from tests.deploy.stacks.templates import Properties, Templates


def _role(templates: Templates, name: str) -> list[Properties]:
    statements = templates.statements("AWS::IAM::Policy", "retraining")
    return [statement for where, statement in statements if name in where]


def test_the_pipeline_is_what_was_uploaded(templates: Templates) -> None:
    """The definition comes from the artifacts bucket, where the command's file is put."""
    (pipeline,) = templates.resources("AWS::SageMaker::Pipeline")
    assert pipeline["PipelineName"] == PIPELINE
    place = pipeline["PipelineDefinition"]["PipelineDefinitionS3Location"]
    assert place["Key"] == {"Ref": "DefinitionObject"}
    assert "Artifacts" in json.dumps(place["Bucket"])


def test_an_execution_is_started_once_and_knows_when(templates: Templates) -> None:
    """Attempts at one start share a token that SageMaker takes, and AsOf is when it was due."""
    (schedule,) = templates.resources("AWS::Scheduler::Schedule")
    assert schedule["Target"]["Arn"]["Fn::Join"][1][-1].endswith("sagemaker:startPipelineExecution")
    parts = schedule["Target"]["Input"]["Fn::Join"][1]
    start = json.loads("".join(part if isinstance(part, str) else "s3://archive" for part in parts))
    assert start["PipelineName"] == PIPELINE
    due = "<aws.scheduler.scheduled-time>"
    parameters = {p["Name"]: p["Value"] for p in start["PipelineParameters"]}
    assert parameters == {"ArchiveS3Uri": "s3://archive", "AsOf": due}
    token = start["ClientRequestToken"].replace(due, "2026-12-01T09:00:00Z")
    token = token.replace("<aws.scheduler.execution-id>", "d32c5kddcf5bb8c3")
    assert 32 <= len(token) <= 128


def test_a_start_that_fails_is_kept(templates: Templates) -> None:
    """What could not be started goes to a queue, encrypted, which an alarm watches."""
    (schedule,) = templates.resources("AWS::Scheduler::Schedule")
    assert "MissedStarts" in json.dumps(schedule["Target"]["DeadLetterConfig"])
    (queue,) = templates.resources("AWS::SQS::Queue")
    assert queue["KmsMasterKeyId"]


def test_the_schedule_may_start_and_nothing_else(templates: Templates) -> None:
    """Its role starts this pipeline and keeps what failed."""
    actions = {
        action for statement in _role(templates, "StartRole") for action in statement["Action"]
    }
    assert actions == {
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "sagemaker:StartPipelineExecution",
        "sqs:SendMessage",
    }


def test_jobs_can_serve_nothing(templates: Templates) -> None:
    """Retraining makes jobs and registers models; it neither deploys nor approves them."""
    actions = {
        action for statement in _role(templates, "JobRole") for action in statement["Action"]
    }
    assert "sagemaker:CreateModelPackage" in actions
    forbidden = ("sagemaker:Delete", "Endpoint", "UpdateModelPackage")
    assert [action for action in actions if any(word in action for word in forbidden)] == []


def test_a_role_is_passed_to_sagemaker_only(templates: Templates) -> None:
    """The jobs' role hands itself to SageMaker's jobs, and to nobody else."""
    passing = [s for s in _role(templates, "JobRole") if "iam:PassRole" in s["Action"]]
    (statement,) = passing
    assert statement["Condition"] == {
        "StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}
    }
    assert "role/roadside-retraining" in json.dumps(statement["Resource"])
