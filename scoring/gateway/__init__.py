"""The gateway: the stages of one request, one module a stage."""
