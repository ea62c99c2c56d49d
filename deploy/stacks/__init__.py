"""One stack a concern."""
