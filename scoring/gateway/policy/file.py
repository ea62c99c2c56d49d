"""The policy as a file: checked against its schema, and taken anew when it changes."""

from pathlib import Path

import msgspec
import yaml

from scoring.gateway.errors import ConfigurationError
from scoring.gateway.invalid_field import invalid_field
from scoring.gateway.policy.rules import Policy
from scoring.gateway.reloaded import Reloaded

DEFAULT_POLICY = Path(__file__).with_name("policy.yaml")


def load_policy(path: Path = DEFAULT_POLICY) -> Policy:
    """Load and check a policy file.

    Raises:
        ConfigurationError: It is absent or wrong; names the file, the field, its value and the
            remedy.
    """
    try:
        text = path.read_bytes()
        policy = msgspec.yaml.decode(text, type=Policy)
        _check_minimum(path, policy)
    except OSError as error:
        raise ConfigurationError(
            f"policy file {path}: {error.strerror}; give another with --policy"
        ) from error
    except msgspec.ValidationError as error:
        wrong = invalid_field(error, yaml.safe_load(text))
        raise _wrong(path, wrong.path or "the file", wrong.value, wrong.reason) from error
    except msgspec.DecodeError as error:
        raise ConfigurationError(f"policy file {path}: is not YAML ({error}); mend it") from error
    return policy


def reloaded_policy(path: Path) -> Reloaded[Policy]:
    """Return the policy of a file that may change while the gateway runs.

    Raises:
        ConfigurationError: The file is wrong now.
    """

    def check_change(old: Policy, new: Policy) -> None:
        if new != old and new.version == old.version:
            raise ConfigurationError(
                f"policy file {path}: version: is {new.version!r} as before, but the rules are "
                "not; give it another, as every answer names it"
            )

    return Reloaded(path, load_policy, check_change)


def _check_minimum(path: Path, policy: Policy) -> None:
    shares = policy.contract_minimum.tier_shares
    if sum(shares.values()) > 1:
        raise _wrong(path, "contract_minimum.tier_shares", shares, "guarantee more than all")


def _wrong(path: Path, field: str, value: object, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"policy file {path}: {field}: {reason}, it is {value!r}; "
        f"the gateway's own {DEFAULT_POLICY.name} shows every field and what it means"
    )
