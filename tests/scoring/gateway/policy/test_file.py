import logging
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from scoring.gateway.errors import ConfigurationError
from scoring.gateway.policy.__main__ import main
from scoring.gateway.policy.file import load_policy, reloaded_policy
from tests.scoring.gateway.policy.situations import document


def _write(path: Path, changes: dict[str, Any]) -> Path:
    """Write the plain policy with values changed at paths such as ``exploration.share``."""
    written = document()
    for place, value in changes.items():
        *groups, field = place.split(".")
        at = written
        for group in groups:
            at = at[group]
        at[field] = value
    path.write_text(yaml.safe_dump(written))
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the policy is."""
    return tmp_path / "policy.yaml"


def test_the_gateways_own_policy_is_right() -> None:
    """The file that is shipped passes its own schema."""
    assert load_policy().exploration.share > 0


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("exploration.share", 0.5, "exploration.share: expected `float` <= 0.2, it is 0.5"),
        ("capacity.free_trucks", "two", "capacity.free_trucks: expected `int`, got `str`"),
        ("freshness.position_max_age_s", 300, "freshness.position_max_age_s"),
        ("freshness.position_unknown", "ignore", "freshness.position_unknown"),
        ("exploration.shares", 0.1, "exploration.shares: object contains unknown field"),
        ("contract_minimum.tier_shares", {11: 0.1}, "contract_minimum.tier_shares: expected `int`"),
        ("contract_minimum.tier_shares", {1: 2}, "contract_minimum.tier_shares: expected `float`"),
        ("contract_minimum.tier_shares", {1: 0.6, 2: 0.6}, "guarantee more than all"),
        ("blocklist", ["den-1"], "blocklist: expected `object`, got `array`"),
        ("version", "", "version"),
        ("window_min", float("nan"), "window_min"),
    ],
)
def test_a_wrong_value_is_told_with_file_field_value_and_remedy(
    path: Path, field: str, value: object, told: str
) -> None:
    """A policy that is wrong does not start the gateway; the message says what to mend where."""
    with pytest.raises(ConfigurationError) as caught:
        load_policy(_write(path, {field: value}))
    message = str(caught.value)
    assert told in message
    assert str(path) in message
    assert str(value) in message
    assert "policy.yaml shows every field" in message


def test_a_missing_field_is_named(path: Path) -> None:
    """A rule that is not there is named as absent."""
    without = document()
    del without["exploration"]["among"]
    path.write_text(yaml.safe_dump(without))
    with pytest.raises(ConfigurationError, match=r"exploration\.among: .* it is 'absent'"):
        load_policy(path)


@pytest.mark.parametrize("text", ["- not a policy", "version: [", "", "\x00"])
def test_what_is_no_policy_at_all_is_refused(path: Path, text: str) -> None:
    """A list, broken YAML, an empty or a binary file: each is refused by the file's name."""
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=str(path)):
        load_policy(path)


def test_a_missing_file_is_named(path: Path) -> None:
    """A policy file that is not there is named with the option that gives another."""
    with pytest.raises(ConfigurationError, match="--policy"):
        load_policy(path)


def test_a_changed_file_is_taken_while_running(path: Path) -> None:
    """What changes in the file changes the policy in use; without a change nothing is read."""
    policy = reloaded_policy(_write(path, {"version": "1"}))
    first = policy.value
    policy.refresh()
    assert policy.value is first
    _write(path, {"version": "2", "exploration.share": 0.1})
    policy.refresh()
    assert (policy.value.version, policy.value.exploration.share) == ("2", 0.1)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"version": "2", "exploration.share": 9.0}, "exploration.share"),
        ({"version": "1", "exploration.share": 0.1}, "give it another"),
        (None, "No such file"),
    ],
    ids=["invalid", "same version", "gone"],
)
def test_a_wrong_new_file_leaves_the_policy_in_use(
    path: Path,
    changes: dict[str, Any] | None,
    told: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A file that turns wrong is refused once, in the log; mended, it is taken."""
    policy = reloaded_policy(_write(path, {"version": "1"}))
    path.unlink() if changes is None else _write(path, changes)
    with caplog.at_level(logging.ERROR):
        policy.refresh()
        policy.refresh()
    assert policy.value.version == "1"
    assert [told in record.message for record in caplog.records] == [True]
    _write(path, {"version": "3"})
    policy.refresh()
    assert policy.value.version == "3"


def test_a_file_replaced_by_a_rename_is_noticed(path: Path, tmp_path: Path) -> None:
    """A new file put in place of the old one, even of its time and size, is another file."""
    policy = reloaded_policy(_write(path, {"version": "1"}))
    other = _write(tmp_path / "other.yaml", {"version": "2"})
    stat = path.stat()
    os.utime(other, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    other.replace(path)
    policy.refresh()
    assert policy.value.version == "2"


def test_the_command_says_the_policy_in_words(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command checks a file and tells every rule with its numbers."""
    rules = {"version": "7", "blocklist": {"den-1": "insurance lapsed"},
             "contract_minimum.provider_shares": {"den-2": 0.1}}  # fmt: skip
    assert main([str(_write(path, rules))]) == 0
    words = capsys.readouterr().out
    assert "Policy 7." in words
    assert "den-1 is never sent: insurance lapsed." in words
    assert "den-2 stands first in at least 10%" in words
    assert "120 s" in words


def test_the_command_refuses_a_wrong_file(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong file ends with exit code 2 and the message that the gateway would give."""
    assert main([str(_write(path, {"exploration.share": 9.0}))]) == 2
    assert "exploration.share" in capsys.readouterr().err
