"""Who logs in to the online store, and which commands each may give there."""

_KEYS = "on ~* -@all +@read +@write +@connection"

COMMANDS = {
    "gateway": f"{_KEYS} -@dangerous",
    # Rows are written by a script that compares times.
    "jobs": f"{_KEYS} +@scripting -@dangerous",
}
"""Access strings by the user's name, as Valkey and Redis take them."""
