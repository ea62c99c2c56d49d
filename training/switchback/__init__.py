"""Switchback experiments: two ways to dispatch take turns by region and hour."""
