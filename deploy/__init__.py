"""Infrastructure as code, packaging, and the local stack."""
