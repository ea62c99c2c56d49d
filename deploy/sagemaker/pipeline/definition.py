"""The pipeline: process, gates, train, evaluate, condition, register.

The only module that imports the SageMaker SDK, and only to write JSON: nothing here calls AWS.
"""

import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.model import Model
from sagemaker.model_metrics import MetricsSource, ModelMetrics
from sagemaker.network import NetworkConfig
from sagemaker.processing import ProcessingInput, ProcessingOutput, Processor
from sagemaker.workflow.condition_step import ConditionStep
from sagemaker.workflow.conditions import ConditionGreaterThanOrEqualTo, ConditionLessThanOrEqualTo
from sagemaker.workflow.execution_variables import ExecutionVariables
from sagemaker.workflow.fail_step import FailStep
from sagemaker.workflow.functions import Join, JsonGet
from sagemaker.workflow.model_step import ModelStep
from sagemaker.workflow.parameters import ParameterFloat, ParameterInteger, ParameterString
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.properties import PropertyFile
from sagemaker.workflow.retry import (
    SageMakerJobExceptionTypeEnum,
    SageMakerJobStepRetryPolicy,
    StepExceptionTypeEnum,
    StepRetryPolicy,
)
from sagemaker.workflow.steps import CacheConfig, ProcessingStep, TrainingStep

from deploy.names import MODEL_PACKAGE_GROUP, PIPELINE
from deploy.sagemaker.pipeline import jobs
from deploy.sagemaker.pipeline.gates import GATES, Gate
from deploy.sagemaker.pipeline.settings import Settings, parameters

_SDK_PARAMETERS: dict[type, Any] = {
    str: ParameterString,
    int: ParameterInteger,
    float: ParameterFloat,
}

_CALL_AGAIN = StepRetryPolicy(
    exception_types=[StepExceptionTypeEnum.SERVICE_FAULT, StepExceptionTypeEnum.THROTTLING],
    interval_seconds=10,
    max_attempts=5,
)
# What the product's own code refuses is not tried again: the same data fails it again.
_START_AGAIN = SageMakerJobStepRetryPolicy(
    exception_types=[
        SageMakerJobExceptionTypeEnum.INTERNAL_ERROR,
        SageMakerJobExceptionTypeEnum.CAPACITY_ERROR,
        SageMakerJobExceptionTypeEnum.RESOURCE_LIMIT,
    ],
    interval_seconds=120,
    max_attempts=5,
)
_HYPERPARAMETERS = ("Seed", "Trials", "Minutes")
_RETRIES = [_CALL_AGAIN, _START_AGAIN]
_CACHE = CacheConfig(enable_caching=True, expire_after=jobs.CACHED_FOR)
_SDK_SETTINGS = {"SchemaVersion": "1.0"}
"""Instead of those of the user's own files: the definition depends on nothing but its settings."""


def definition(settings: Settings) -> str:
    """Return the definition as JSON; the same settings give the same text."""
    # With keys of no use: nothing looks for the user's own, in the end over the network.
    boto = boto3.Session("offline", "offline", region_name=settings.region)
    with _default_session(boto), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that no job is started
        made = json.loads(_Definition.of(settings, boto).pipeline().definition())
    return json.dumps(made, indent=2, sort_keys=True) + "\n"


@contextmanager
def _default_session(boto: Any) -> Iterator[None]:
    """Give the SDK's own clients, which it makes of boto3's default session, this one."""
    before = boto3.DEFAULT_SESSION
    boto3.DEFAULT_SESSION = boto
    try:
        yield
    finally:
        boto3.DEFAULT_SESSION = before


@dataclass(frozen=True)
class _Definition:
    settings: Settings
    session: Any
    parameters: Mapping[str, Any]

    @classmethod
    def of(cls, settings: Settings, boto: Any) -> "_Definition":
        session: Any = PipelineSession(
            boto_session=boto, default_bucket=settings.bucket, sagemaker_config=_SDK_SETTINGS
        )
        session._default_bucket = settings.bucket  # otherwise it would be looked for on AWS
        session.sagemaker_config = {}  # otherwise it is checked anew in each of dozens of look-ups
        declared = parameters(settings)
        made: dict[str, Any] = {
            each.name: _SDK_PARAMETERS[each.kind](each.name, default_value=each.default)
            for each in declared
        }
        return cls(settings, session, made)

    def pipeline(self) -> Any:
        archive, prepared = self.parameters["ArchiveS3Uri"], "prepared"
        process = self._processing(
            "process",
            {"archive": archive},
            prepared,
            {
                "as-of": self.parameters["AsOf"],
                "most-offers": self._text("MostOffers"),
                "whole-events": self._text("WholeEvents"),
            },
            cache_config=_CACHE,
        )
        prepared_uri = _output(process, prepared)
        gates = self._processing(
            "gates",
            {"archive": archive, prepared: prepared_uri},
            "report",
            cache_config=_CACHE,
        )
        train = self._train({prepared: prepared_uri}, after=gates)
        found = PropertyFile("evaluation", output_name="evaluation", path=jobs.EVALUATION_FILE)
        # Never cached: its arguments are the same when another model has become the incumbent.
        evaluate = self._processing(
            "evaluate",
            {
                prepared: prepared_uri,
                "model": train.properties.ModelArtifacts.S3ModelArtifacts,
                "incumbent": self.parameters["IncumbentS3Uri"],
            },
            "evaluation",
            {"seed": self._text("Seed")},
            property_files=[found],
        )
        condition = ConditionStep(
            name="condition",
            conditions=[self._condition(gate, found) for gate in GATES],
            if_steps=[self._register(train, evaluate)],
            else_steps=[self._refuse(evaluate)],
        )
        return Pipeline(
            name=PIPELINE,
            parameters=list(self.parameters.values()),
            steps=[process, gates, train, evaluate, condition],
            pipeline_experiment_config=None,
            sagemaker_session=self.session,
        )

    def _processing(
        self,
        name: str,
        inputs: Mapping[str, Any],
        output: str,
        options: Mapping[str, Any] | None = None,
        **step: Any,
    ) -> Any:
        """Return the step that runs ``training.steps.<name>``, with an option for each input."""
        settings = self.settings
        processor = Processor(
            role=settings.role,
            image_uri=settings.image,
            instance_count=1,
            instance_type=self.parameters["ProcessingInstance"],
            entrypoint=["python", "-m", f"training.steps.{name}"],
            volume_size_in_gb=jobs.VOLUME_GB,
            volume_kms_key=settings.kms_key,
            output_kms_key=settings.kms_key,
            max_runtime_in_seconds=jobs.LONGEST_S[name],
            network_config=NetworkConfig(
                enable_network_isolation=True,
                subnets=list(settings.subnets) or None,
                security_group_ids=list(settings.security_groups) or None,
            ),
            sagemaker_session=self.session,
        )
        places = {each: f"{jobs.ROOT}/input/{each}" for each in inputs}
        out = f"{jobs.ROOT}/output/{output}"
        told = {**places, "out": out, "reason": jobs.REASON, **(options or {})}
        arguments = processor.run(
            inputs=[
                ProcessingInput(source=inputs[each], destination=place, input_name=each)
                for each, place in places.items()
            ],
            outputs=[
                ProcessingOutput(
                    source=out,
                    destination=self._place(jobs.HANDED_ON, name, output),
                    output_name=output,
                    # so that a gate's report is there also when the gate fails
                    s3_upload_mode="Continuous" if output == "report" else "EndOfJob",
                )
            ],
            arguments=[part for key, value in told.items() for part in (f"--{key}", value)],
        )
        return ProcessingStep(name, step_args=arguments, retry_policies=_RETRIES, **step)

    def _train(self, channels: Mapping[str, Any], after: Any) -> Any:
        settings = self.settings
        estimator = Estimator(
            image_uri=settings.image,
            role=settings.role,
            instance_count=1,
            instance_type=self.parameters["TrainingInstance"],
            volume_size=jobs.VOLUME_GB,
            volume_kms_key=settings.kms_key,
            max_run=jobs.LONGEST_S["train"],
            output_path=self._place(jobs.MODELS),
            output_kms_key=settings.kms_key,
            subnets=list(settings.subnets) or None,
            security_group_ids=list(settings.security_groups) or None,
            enable_network_isolation=True,
            disable_profiler=True,
            debugger_hook_config=False,
            hyperparameters={each.lower(): self._text(each) for each in _HYPERPARAMETERS},
            sagemaker_session=self.session,
        )
        inputs = {name: TrainingInput(uri) for name, uri in channels.items()}
        # Unwrapped: what is around it tells AWS of each call, over the network.
        arguments = Estimator.fit.__wrapped__(estimator, inputs)
        return TrainingStep(
            "train",
            step_args=arguments,
            depends_on=[after],
            retry_policies=_RETRIES,
            cache_config=_CACHE,
        )

    def _condition(self, gate: Gate, found: Any) -> Any:
        measured: Any = JsonGet("evaluate", property_file=found, json_path=f"gates.{gate.measure}")
        kind = ConditionGreaterThanOrEqualTo if gate.is_least else ConditionLessThanOrEqualTo
        return kind(left=measured, right=self.parameters[gate.parameter])

    def _register(self, train: Any, evaluate: Any) -> Any:
        model = Model(
            image_uri=self.settings.image,
            model_data=train.properties.ModelArtifacts.S3ModelArtifacts,
            role=self.settings.role,
            sagemaker_session=self.session,
        )
        metrics = MetricsSource("application/json", _evaluation_uri(evaluate))
        arguments = model.register(
            content_types=list(jobs.CONTENT_TYPES),
            response_types=list(jobs.CONTENT_TYPES),
            inference_instances=list(jobs.INFERENCE_INSTANCES),
            model_package_group_name=MODEL_PACKAGE_GROUP,
            approval_status="PendingManualApproval",
            model_metrics=ModelMetrics(model_statistics=metrics),
            customer_metadata_properties={
                "archive": self.parameters["ArchiveS3Uri"],
                "as_of": self.parameters["AsOf"],
                "execution": ExecutionVariables.PIPELINE_EXECUTION_ARN,
            },
        )
        return ModelStep("register", step_args=arguments, retry_policies=[_CALL_AGAIN])

    def _refuse(self, evaluate: Any) -> Any:
        """Return the step that fails; its message cannot read a JSON file, but it can name it."""
        thresholds = [
            part
            for gate in GATES
            for part in (
                f"{gate.measure} must be at {'least' if gate.is_least else 'most'}",
                Join(on="", values=[self.parameters[gate.parameter], ";"]),
            )
        ]
        why = ["The model is not registered: a gate of", _evaluation_uri(evaluate), "fails.",
               *thresholds, "see evaluation.html beside it."]  # fmt: skip
        return FailStep("refuse", error_message=Join(on=" ", values=why))

    def _text(self, parameter: str) -> Any:
        return self.parameters[parameter].to_string()

    def _place(self, folder: str, *names: str) -> Any:
        """Return a URI of this execution's own."""
        execution = ExecutionVariables.PIPELINE_EXECUTION_ID
        return Join(on="/", values=["s3:/", self.settings.bucket, folder, execution, *names])


def _output(step: Any, name: str) -> Any:
    return step.properties.ProcessingOutputConfig.Outputs[name].S3Output.S3Uri


def _evaluation_uri(evaluate: Any) -> Any:
    return Join(on="/", values=[_output(evaluate, "evaluation"), jobs.EVALUATION_FILE])
