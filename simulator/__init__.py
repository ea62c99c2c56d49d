"""A seeded digital twin of providers, roads, weather and outcomes."""
