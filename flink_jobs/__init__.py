"""PyFlink jobs: events on Kinesis to windowed, freshness-checked features."""
