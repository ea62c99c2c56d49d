"""The retraining pipeline's steps, each the command of a SageMaker job: docs/retraining.md."""
