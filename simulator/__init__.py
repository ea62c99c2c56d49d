"""A seeded digital twin: providers, roads, weather, requests for help and what becomes of them.

It only puts events on the streams and writes archives; no feature is computed here, and no
outcome depends on one.
"""
