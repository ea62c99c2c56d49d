"""The policy as a file: versioned, checked, read once at start."""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from scoring.gateway.errors import ConfigurationError

DEFAULT_POLICY = Path(__file__).with_name("policy.yaml")


class Exploration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often someone other than the best stands first, so that outcomes are learnt of."""

    share: Annotated[float, Meta(ge=0, le=0.2)]
    among: Annotated[int, Meta(ge=1, le=20)]


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rules beyond the model.

    Attributes:
        version: Named in every answer.
        blocked_providers: Never sent.
        spillover_tier: Providers of this contract tier or a higher number stand behind the
            others while at least ``spillover_below`` others are eligible.
        spillover_below: See ``spillover_tier``.
        exploration: See ``Exploration``.
    """

    version: Annotated[str, Meta(min_length=1)]
    spillover_tier: Annotated[int, Meta(ge=1)]
    spillover_below: Annotated[int, Meta(ge=0)]
    exploration: Exploration
    blocked_providers: list[str] = []


def load_policy(path: Path = DEFAULT_POLICY) -> Policy:
    """Load and check a policy file.

    Raises:
        ConfigurationError: The file is absent or wrong; names the file, the field and the remedy.
    """
    try:
        return msgspec.yaml.decode(path.read_bytes(), type=Policy)
    except OSError as error:
        raise ConfigurationError(
            f"policy file {path}: {error.strerror}; give another with --policy"
        ) from error
    except msgspec.DecodeError as error:
        raise ConfigurationError(
            f"policy file {path}: {error}; compare it with {DEFAULT_POLICY.name}"
        ) from error
