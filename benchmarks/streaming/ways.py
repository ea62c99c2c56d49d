"""The names of the Python edges that are measured beside each other."""

ARROW, FEAST, ROWS = "arrow", "feast", "rows"
WAYS = {
    ARROW: "Arrow batches (ours)",
    FEAST: "Feast push",
    ROWS: "a row at a time",
}
