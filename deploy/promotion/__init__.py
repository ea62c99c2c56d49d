"""Promotion of a model: register, shadow, compare, canary, rollback; one command a step."""
