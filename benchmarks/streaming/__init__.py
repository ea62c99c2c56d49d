"""The streaming jobs measured on this machine: from Kinesis to Redis, all parts real.

    python -m benchmarks.streaming throughput|delay|peers|storm [--json FILE]

Kinesis is the mended emulator, Flink a standalone cluster of the pip package, Redis itself. Events
come from a load generator in a process of its own; every part's processor time is counted, so that
a number shows what it was bought with on a machine that all parts share.
"""
