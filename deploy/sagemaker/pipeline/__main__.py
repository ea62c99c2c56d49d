"""Writes the pipeline's definition: ``python -m deploy.sagemaker.pipeline --help``."""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.sagemaker.pipeline.settings import Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the definition; return the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        settings = Settings(
            role=options.role,
            bucket=options.bucket,
            image=options.image,
            region=options.region,
            kms_key=options.kms_key,
            subnets=tuple(options.subnets),
            security_groups=tuple(options.security_groups),
        )
    except ValueError as error:
        parser.error(str(error))
    # The SDK tells which settings files it did not find, and what a pipeline always leaves out.
    for logger in ("sagemaker", "sagemaker.config"):
        logging.getLogger(logger).setLevel(logging.ERROR)
    from deploy.sagemaker.pipeline.definition import definition  # noqa: PLC0415 - takes seconds

    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(definition(settings), encoding="utf-8")
    sys.stdout.write(f"{options.out}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.sagemaker.pipeline",
        description="Write the retraining pipeline's definition, which CreatePipeline takes. "
        "AWS is not called.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--out", type=Path, default=Path("dist/pipeline.json"), help="the file")
    parser.add_argument("--role", required=True, help="ARN of the role that the jobs run as")
    parser.add_argument("--bucket", required=True, help="takes what the steps hand on")
    parser.add_argument("--image", required=True, help="URI of the container's image, by digest")
    parser.add_argument("--region", default=Settings.region, help="of all of it")
    parser.add_argument("--kms-key", help="ARN of the key of volumes and outputs")
    parser.add_argument("--subnets", nargs="+", default=[], metavar="ID", help="of the VPC")
    parser.add_argument(
        "--security-groups", nargs="+", default=[], metavar="ID", help="of the jobs"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
