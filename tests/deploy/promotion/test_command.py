from collections.abc import Callable

import pytest

from deploy.promotion import __main__ as command
from deploy.promotion.limits import Limits
from deploy.sagemaker.pipeline.gates import GATES
from tests.deploy.promotion.conftest import World

Run = Callable[..., int]


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command against a world in memory."""

    def connected(operator: object, limits: object, poll_s: float) -> object:  # noqa: ARG001
        fields = {n: getattr(world.context, n) for n in world.context.__dataclass_fields__}
        return type(world.context)(**{**fields, "operator": operator, "limits": limits})

    monkeypatch.setattr(command, "connect", connected)
    return lambda *arguments: command.main(arguments)


def test_done_is_0(run: Run, world: World) -> None:
    """A step that did what it was asked ends with 0."""
    assert run("--yes", "canary", "--version", str(world.approved().version)) == 0
    assert run("status") == 0


def test_refused_is_1_with_every_reason(
    run: Run, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each reason stands in a line of its own."""
    world.alarms.clear()
    assert run("--yes", "canary", "--version", str(world.registered().version)) == 1
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("refused: guardrails: there is no alarm") for line in lines) == 6
    assert any("not Approved" in line for line in lines)


def test_nobody_there_to_agree_is_1(run: Run, world: World) -> None:
    """Without --yes and without a terminal nothing is done."""
    assert run("canary", "--version", str(world.approved().version)) == 1
    assert world.endpoint.updates == []


def test_a_limit_is_changed_for_one_run(run: Run, world: World) -> None:
    """What would be refused by a default is done with another limit."""
    version = str(world.registered({"value_lost": 0.02}).version)
    shadow = ("shadow", "--version", version, "--captures", "s3://captures")
    assert run("--yes", *shadow) == 1
    assert run("--yes", "--limit", "value_lost=0.05", *shadow) == 0


@pytest.mark.parametrize("limit", ["nonsense=1", "p99_ms=fast", "p99_ms"])
def test_a_limit_that_is_none_is_2(
    run: Run, limit: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mistyped limit is told before anything is done."""
    assert run("--limit", limit, "status") == 2
    assert "--limit" in capsys.readouterr().err


def test_what_aws_refuses_is_2(
    run: Run, world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An endpoint that is not there is one line, not a traceback."""
    monkeypatch.setattr(
        world.context.endpoint, "now", lambda: world.context.endpoint.described("x")
    )
    assert run("status") == 2
    assert "Could not find 'x'" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [(), ("canary",), ("nonsense",)])
def test_a_step_that_is_none_is_2(run: Run, arguments: tuple[str, ...]) -> None:
    """The parser's own refusals end with 2, too."""
    with pytest.raises(SystemExit) as ended:
        run(*arguments)
    assert ended.value.code == 2


def test_every_gate_of_the_pipeline_has_a_limit_here() -> None:
    """A model that the pipeline registers by its defaults is one that a promotion takes."""
    limits = Limits()
    assert {gate.measure: gate.threshold for gate in GATES} == {
        gate.measure: getattr(limits, gate.measure) for gate in GATES
    }
