"""The container without docker: its Dockerfile read, and its programs run from what it copies."""

import ast
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from configparser import ConfigParser
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.support import container_image
from tests.support.container_image import REPOSITORY, Image

DIRECTORY = REPOSITORY / "deploy/sagemaker/container"
DOCKERFILE = DIRECTORY / "Dockerfile"
OURS = {"feature_repo", "scoring", "training"}


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """What the Dockerfile copies, and nothing else of ours."""
    pytest.importorskip("catboost", reason="needs the product's own environment")
    return container_image.build(DOCKERFILE, tmp_path_factory.mktemp("image"))


def _words(name: str) -> list[list[str]]:
    return [words for each, words in container_image.instructions(DOCKERFILE) if each == name]


def test_what_is_copied_is_there_and_not_ignored() -> None:
    """Every source of a COPY exists, and the ignore file lets it through."""
    sources = [
        source
        for words in _words("COPY")
        if "--from=packages" not in words
        for source in words[:-1]
    ]
    assert all((REPOSITORY / source).exists() for source in sources)
    lines = (DIRECTORY / "Dockerfile.dockerignore").read_text().splitlines()
    let_through = [line.removeprefix("!") for line in lines if line.startswith("!")]
    for source in sources:
        assert any(Path(source).is_relative_to(each) for each in let_through), source


def test_both_programs_can_be_executed() -> None:
    """`serve` and `train` are there under SageMaker's names, with the execute bit."""
    for name in ("serve", "train"):
        assert os.access(DIRECTORY / name, os.X_OK)


def test_the_base_is_an_official_image() -> None:
    """No stage names a registry; one argument swaps the base of all stages."""
    assert [words[0] for words in _words("FROM")] == ["${BASE}", "${BASE}"]
    ((base,),) = _words("ARG")
    assert re.fullmatch(r"BASE=python:3\.1[12]-slim-\w+", base)


def test_everything_imported_is_installed() -> None:
    """What the copied code imports comes with the extras that the Dockerfile installs."""
    pytest.importorskip("catboost", reason="needs the product's own environment")
    ((_, extras),) = re.findall(r'"(\.)\[([\w,]+)\]"', DOCKERFILE.read_text())
    installed = _needed(extras.split(","))
    by_module = metadata.packages_distributions()
    for room in OURS:
        for module, path in _imported(REPOSITORY / room):
            if module in sys.stdlib_module_names or module in OURS:
                continue
            assert installed & {_normal(each) for each in by_module[module]}, f"{path}: {module}"


def _imported(room: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(room.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from ((alias.name.split(".")[0], path) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module.split(".")[0], path


def _needed(extras: list[str]) -> set[str]:
    """Return the distributions that the product with these extras needs, and what those need."""
    config = ConfigParser()
    config.read(REPOSITORY / "setup.cfg")
    declared = [config["options.extras_require"][extra] for extra in extras]
    lines = "\n".join([config["options"]["install_requires"], *declared]).split("\n")
    asked = [Requirement(line) for line in lines if line.strip()]
    found: set[str] = set()
    seen: set[str] = set()
    while asked:
        requirement = asked.pop()
        if str(requirement) not in seen:
            seen.add(str(requirement))
            found.add(_normal(requirement.name))
            asked += _requirements(requirement)
    return found


def _requirements(of: Requirement) -> list[Requirement]:
    try:
        needed = [Requirement(line) for line in metadata.requires(of.name) or []]
    except metadata.PackageNotFoundError:  # for another platform or Python
        return []
    return [
        each
        for each in needed
        if each.marker is None or any(each.marker.evaluate({"extra": e}) for e in ("", *of.extras))
    ]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.integration
def test_serve_serves_and_drains(image: Image, tmp_path: Path) -> None:
    """The program that SageMaker calls serves a bundle on SageMaker's port; SIGTERM ends it."""
    bundles = pytest.importorskip("tests.support.bundles")
    bundles.make_bundle(tmp_path / "model")
    environment = image.environment(
        ML_ROOT=str(tmp_path),
        SERVE_HOST="127.0.0.1",
        SAGEMAKER_BIND_TO_PORT="0",
        SERVE_WORKERS="1",
    )
    with subprocess.Popen(
        ["serve"],
        executable=image.root / "usr/local/bin/serve",
        cwd=image.work_directory,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            address = re.search(r"http://\S+", process.stdout.readline())
            assert address, "the process ended without an address"
            with urllib.request.urlopen(f"{address[0]}/ping", timeout=30) as answer:  # noqa: S310
                assert answer.status == 200
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0
        finally:
            if process.poll() is None:
                process.kill()


@pytest.mark.integration
@pytest.mark.parametrize(
    ("hyperparameters", "reason"),
    [
        ("{}", "training_set isn't there"),
        ('{"seed": "seven"}', "got `str` - at `$.seed`"),
        ('{"depth": "8"}', "unknown field `depth`; known are seed, trials, minutes"),
    ],
)
def test_train_leaves_the_reason_of_a_failure(
    image: Image, tmp_path: Path, hyperparameters: str, reason: str
) -> None:
    """A failed job ends with a code, and its reason is where SageMaker's console looks for it."""
    given = tmp_path / "input/config/hyperparameters.json"
    given.parent.mkdir(parents=True)
    given.write_text(hyperparameters)
    ended = image.run([str(image.root / "usr/local/bin/train")], ML_ROOT=str(tmp_path))
    assert ended.returncode == 2, ended.stderr
    assert reason in (tmp_path / "output/failure").read_text()
    assert reason in ended.stderr
    assert not (tmp_path / "model").exists()
