"""Every step of the committed definition for real, one after another, on a small archive."""

import copy
import json
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from deploy.sagemaker.pipeline import jobs
from scoring.endpoint import json_protocol, protocol
from scoring.endpoint.bundle import load_scorer
from tests.support import container_image
from tests.support.container_image import REPOSITORY
from tests.training.conftest import ARCHIVE_END_S, Prepared
from tests.training.steps.local_pipeline import JobFailedError, LocalPipeline
from training.files import DECISIONS, TRAINING_SET
from training.selection import TEST
from training.steps import evaluate, evaluation_report, gates

pytestmark = pytest.mark.integration

DEFINITION = REPOSITORY / "tests/deploy/sagemaker/pipeline.json"
ARCHIVE, INCUMBENT = "s3://archive/days", f"s3://roadside-models/{jobs.INCUMBENT}/"
STEPS = ("process", "gates", "train", "evaluate")


@pytest.fixture(scope="module")
def execution(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> LocalPipeline:
    """An execution whose four jobs have run; nothing served before."""
    directory = tmp_path_factory.mktemp("pipeline")
    dockerfile = REPOSITORY / "deploy/sagemaker/container/Dockerfile"
    image = container_image.build(dockerfile, directory / "image")
    pipeline = LocalPipeline(json.loads(DEFINITION.read_text()), image, directory)
    shutil.copytree(prepared.data, pipeline.s3(ARCHIVE))
    pipeline.s3(INCUMBENT).mkdir(parents=True)
    (pipeline.s3(INCUMBENT) / "none").touch()
    as_of = datetime.fromtimestamp(ARCHIVE_END_S, UTC)
    pipeline.start({"ArchiveS3Uri": ARCHIVE, "AsOf": as_of.isoformat()})
    for name in STEPS:
        pipeline.run(name)
    return pipeline


@pytest.fixture
def another(execution: LocalPipeline) -> Iterator[LocalPipeline]:
    """The same execution, of which a test may change what is known, and what is in S3."""
    before = execution.directory / "s3"
    kept = execution.directory / "s3.kept"
    shutil.copytree(before, kept)
    yield LocalPipeline(
        execution.definition, execution.image, execution.directory, copy.deepcopy(execution.known)
    )
    shutil.rmtree(before)
    kept.rename(before)


def test_a_good_model_is_registered(execution: LocalPipeline) -> None:
    """From the archive to a package: every comparison of the condition holds, and it can serve."""
    assert set(execution.holds().values()) == {True}, execution.holds()
    found = evaluation_report.decode(
        (execution.output("evaluate", "evaluation") / jobs.EVALUATION_FILE).read_bytes()
    )
    assert found.incumbent is None
    assert found.metrics["model"]["true_success_at_1"].value is not None
    packed = execution.s3(execution.known["Steps.train.ModelArtifacts.S3ModelArtifacts"])
    measured = evaluate.unpack(packed.parent)
    assert measured is not None
    assert measured.version == found.version
    scorer = load_scorer(execution.directory / "jobs/train/model")
    assert scorer.manifest.version == found.version
    assert "0 of " in (execution.output("gates", "report") / gates.REPORT).read_text()


def test_the_package_says_what_the_endpoint_takes() -> None:
    """The registered content types are those of the server."""
    assert jobs.CONTENT_TYPES == (protocol.CONTENT_TYPE, json_protocol.CONTENT_TYPE)


def test_only_what_training_needs_is_handed_on(execution: LocalPipeline) -> None:
    """Labels and training set, and none of what DuckDB put on disk."""
    assert {path.name for path in execution.output("process", "prepared").iterdir()} == {
        "labels",
        TRAINING_SET,
    }


def test_a_bad_archive_is_stopped_by_the_gates(another: LocalPipeline) -> None:
    """Propensities that do not sum to 1: exit code 3, the rule in reason and report."""
    _change(another.s3(ARCHIVE) / DECISIONS, _too_probable)
    with pytest.raises(JobFailedError, match="propensities_of_event") as failed:
        another.run("gates")
    assert failed.value.code == 3
    assert "propensities_of_event" in failed.value.reason
    report = (another.output("gates", "report") / gates.REPORT).read_text()
    assert "FAIL propensities_of_event" in report
    assert "ok   " in report


def test_a_bad_model_is_stopped_by_the_condition(another: LocalPipeline) -> None:
    """Learned from shuffled labels, it is worse than rules and incumbent, and not registered."""
    good = another.s3(another.known["Steps.train.ModelArtifacts.S3ModelArtifacts"])
    shutil.copy(good, another.s3(INCUMBENT) / "model.tar.gz")
    sound = another.output("process", "prepared")
    kept = sound.with_name("sound")
    shutil.copytree(sound, kept)
    _change(sound / TRAINING_SET, _shuffled)
    another.run("train")
    shutil.rmtree(sound)
    kept.rename(sound)
    another.run("evaluate")
    failed = {path for path, holds in another.holds().items() if not holds}
    assert {"gates.value_over_rules", "gates.value_lost", "gates.eta_lost_min"} <= failed
    found = evaluation_report.decode(
        (another.output("evaluate", "evaluation") / jobs.EVALUATION_FILE).read_bytes()
    )
    assert found.incumbent != found.version


def _change(table: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    for path in sorted(table.glob("date=*/*.parquet")):
        changed = change(pd.read_parquet(path))
        path.unlink()  # a job's input may be a link to it
        changed.to_parquet(path, index=False)


def _too_probable(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(propensity=rows["propensity"] * 1.01)


def _shuffled(rows: pd.DataFrame) -> pd.DataFrame:
    """Give the offers that are learned from one another's outcomes."""
    learned = rows["grade"].notna() & (rows["split"] != TEST)
    outcomes = rows.loc[learned, ["grade", "success", "minutes_to_arrival"]]
    drawn = outcomes.sample(frac=1, random_state=5).set_axis(outcomes.index)
    return rows.assign(**{name: rows[name].where(~learned, drawn[name]) for name in drawn})
