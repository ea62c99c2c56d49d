"""The retraining pipeline's definition, made without AWS: docs/retraining.md."""
