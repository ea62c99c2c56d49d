import zipfile
from pathlib import Path

import pytest

from deploy.flink_app.__main__ import main
from deploy.local.emulator import AWS_ENVIRONMENT

TEMPLATE = """{"Resources": {"Application": {
    "Type": "AWS::KinesisAnalyticsV2::Application", "Properties": {"ApplicationName": "a"}}}}"""


@pytest.fixture
def arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command's arguments, with an address where nobody answers; `stack.json` is missing."""
    for name, value in {**AWS_ENVIRONMENT, "AWS_MAX_ATTEMPTS": "1"}.items():
        monkeypatch.setenv(name, value)
    with zipfile.ZipFile(tmp_path / "app.zip", "w") as archive:
        archive.writestr("main.py", "")
    place = ["--zip", str(tmp_path / "app.zip"), "--template", str(tmp_path / "stack.json")]
    return [*place, "--bucket", "code", "--endpoint-url", "http://127.0.0.1:9"]


@pytest.mark.parametrize("content", [None, "no JSON", '{"Resources": {}}'])
def test_a_wrong_template_is_told(
    content: str | None,
    arguments: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What is no template of the application ends the command with its name and the remedy."""
    if content is not None:
        (tmp_path / "stack.json").write_text(content)
    assert main(arguments) == 1
    assert "make it with `python -m deploy.app`" in capsys.readouterr().err


def test_an_address_where_nobody_answers_is_told(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without AWS the command says what it could not reach, and shows no trace."""
    (tmp_path / "stack.json").write_text(TEMPLATE)
    assert main(arguments) == 1
    assert "error: Reading stack roadside-flink failed: Could not" in capsys.readouterr().err


def test_a_parameter_without_a_value_is_told(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A parameter that is not NAME=VALUE ends the command before anything is read."""
    with pytest.raises(SystemExit):
        main([*arguments, "--parameter", "RedisUrl"])
    assert "'RedisUrl' should be NAME=VALUE" in capsys.readouterr().err
