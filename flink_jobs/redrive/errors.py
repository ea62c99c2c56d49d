"""What stops the command."""


class RedriveError(RuntimeError):
    """The command cannot go on; the message names the field, the value and the remedy."""
