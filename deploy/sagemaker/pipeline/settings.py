"""Where a pipeline runs, and what each execution may be told."""

from dataclasses import dataclass

from deploy.sagemaker.pipeline.gates import GATES
from deploy.sagemaker.pipeline.jobs import INCUMBENT


@dataclass(frozen=True)
class Settings:
    """What is fixed in the definition: one deployment's places.

    Attributes:
        role: ARN of the role that the jobs run as.
        bucket: Takes everything that the steps hand on, by execution.
        image: URI of the container's image, by digest rather than by tag.
        region: Of all of it.
        kms_key: ARN of the key of volumes and outputs; None leaves them to the service's own.
        subnets: Ids; without them the jobs run outside of the VPC.
        security_groups: Ids; as many as there are subnets: none, or some.
    """

    role: str
    bucket: str
    image: str
    region: str = "us-east-1"
    kms_key: str | None = None
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check that the VPC is told whole.

        Raises:
            ValueError: There are subnets without security groups, or the other way round.
        """
        if bool(self.subnets) != bool(self.security_groups):
            raise ValueError(
                f"subnets {list(self.subnets)} and security groups {list(self.security_groups)} "
                "belong together: give some of both, or none"
            )


@dataclass(frozen=True)
class Parameter:
    """What an execution may be told.

    Attributes:
        name: As ``StartPipelineExecution`` takes it.
        kind: ``str``, ``int`` or ``float``.
        default: None where an execution must be told.
    """

    name: str
    kind: type
    default: str | int | float | None


def parameters(settings: Settings) -> tuple[Parameter, ...]:
    """Return the pipeline's parameters; docs/retraining.md says what each means."""
    return (
        Parameter("ArchiveS3Uri", str, None),
        # Without a default on purpose: steps are cached by their arguments, so the next week's
        # execution must have another one, and the same one tried again must not.
        Parameter("AsOf", str, None),
        Parameter("IncumbentS3Uri", str, f"s3://{settings.bucket}/{INCUMBENT}/"),
        Parameter("MostOffers", int, 3_000_000),
        Parameter("WholeEvents", int, 2_000),
        Parameter("Seed", int, 7),
        Parameter("Trials", int, 0),
        Parameter("Minutes", float, 10.0),
        Parameter("ProcessingInstance", str, "ml.m5.xlarge"),
        Parameter("TrainingInstance", str, "ml.m5.xlarge"),
        *(Parameter(gate.parameter, float, gate.threshold) for gate in GATES),
    )
