"""The SageMaker container: model bundle, contributions, /ping and /invocations."""
