"""Containers that are not SageMaker's."""
