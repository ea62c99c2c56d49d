"""The closed loop: every policy plays the same week in the twin, see ``docs/closed-loop.md``."""
