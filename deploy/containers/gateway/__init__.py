"""The gateway's container."""
