import subprocess
import sys
from pathlib import Path

import pytest

from deploy import app
from deploy.stacks import review
from tests.deploy.stacks.templates import Templates


def test_cfn_lint_has_no_complaint(templates: Templates) -> None:
    """Every template passes cfn-lint without an error or a warning."""
    command = [str(Path(sys.executable).with_name("cfn-lint")), *map(str, templates.paths)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout


def test_the_rule_pack_finds_nothing_without_a_reason(templates: Templates) -> None:
    """Every finding of cdk-nag is mended or accepted, and nothing is accepted in vain."""
    assert templates.findings == []


def test_every_acceptance_says_why() -> None:
    """The reasons are sentences for an auditor, of their own for each kind of finding."""
    reasons = [accepted.reason for accepted in review.ACCEPTED]
    assert all(len(reason.split()) > 5 and reason.endswith(".") for reason in reasons)
    assert len(set(reasons)) == len(reasons)


def test_a_finding_ends_the_command_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With findings the command names them and does not end with 0."""
    written = app.Synthesis([tmp_path / "a.template.json"], ["roadside-store/Key: rule: wrong"])
    monkeypatch.setattr(app, "synthesize", lambda _: written)
    assert app.main([]) == app.FINDINGS
    printed = capsys.readouterr()
    assert "a.template.json" in printed.out
    assert printed.err == "roadside-store/Key: rule: wrong\n"
