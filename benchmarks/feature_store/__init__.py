"""The feature store beside Feast's own: reads, writes, memory, and whether they stay flat."""
