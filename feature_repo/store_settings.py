"""Which settings file Feast was started with, and what it says of the offline store."""

import os
import re
from pathlib import Path
from typing import Any

import click
import yaml
from feast.utils import get_default_yaml_file_path

REPOSITORY = Path(__file__).parent
_UNSET = re.compile(r"\$\{(\w+)\}")


class SettingsError(ValueError):
    """A settings file that cannot be used; the message says what is missing."""


def settings_file() -> Path:
    """Return the file of ``feast -f FILE``, of ``$FEAST_FS_YAML_FILE_PATH``, or the local one."""
    context = click.get_current_context(silent=True)
    told = (context.obj or {}).get("FS_YAML_FILE") if context else None
    return Path(told) if told else get_default_yaml_file_path(REPOSITORY)


def offline_store() -> dict[str, Any]:
    """Return the ``offline_store`` block of the settings file.

    Raises:
        SettingsError: The file names an environment variable that is not set.
    """
    path = settings_file()
    text = os.path.expandvars(path.read_text())
    unset = sorted(set(_UNSET.findall(_without_comments(text))))
    if unset:
        raise SettingsError(f"{path} needs the environment variables {', '.join(unset)}: set them")
    block: dict[str, Any] = yaml.safe_load(text)["offline_store"]
    return block


def _without_comments(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
