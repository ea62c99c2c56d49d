"""How a benchmark's command ends: what was found as JSON, an error in one line, or an interrupt."""

import os
import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from deploy.local.processes import ProcessError

FAILURE = 1
INTERRUPTED = 130


def exit_code(
    measure: Callable[[], Mapping[str, Any]], console: Console, json_file: Path | None
) -> int:
    """Measure, write what was found and on which machine, and return the command's exit code.

    Args:
        measure: Returns what was found; it ends its own processes, whatever happens.
        console: Where an error or an interrupt is told.
        json_file: Where to write; None is nowhere.
    """
    try:
        found = measure()
    except KeyboardInterrupt:
        console.print("Stopped; nothing is left running.")
        return INTERRUPTED
    except ProcessError as error:
        console.print(f"[bold red]error:[/] {error}", soft_wrap=True, highlight=False)
        return FAILURE
    if json_file:
        machine = {"cores": os.cpu_count(), "python": platform.python_version()}
        json_file.write_bytes(msgspec.json.encode({"machine": machine, **found}))
    return 0
