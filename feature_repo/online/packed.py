"""A command in Redis's own protocol, by the C library that parses the answers."""

from typing import Any

from hiredis import pack_command


def packed(*words: bytes | int) -> bytes:
    """Return a command of these words."""
    command: Any = words  # the library's stub takes tuples of one word only
    data: bytes = pack_command(command)
    return data
