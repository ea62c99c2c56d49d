"""The steps: each shows what it will do, does it, verifies it, and says how it is undone."""
