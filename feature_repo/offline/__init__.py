"""The offline half: rows in files or tables, and what was known of them at a time."""
