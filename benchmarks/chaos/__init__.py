"""Faults done to a live gateway, and what became of its answers: ``make chaos``."""
