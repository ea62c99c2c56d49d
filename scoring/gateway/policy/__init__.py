"""The rules beyond the model: a checked file, the order that they make, what they remember."""
