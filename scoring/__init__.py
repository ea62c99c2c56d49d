"""Scoring: the SageMaker endpoint and the gateway in front of it."""
