"""The page: words, numbers and plots."""

import base64
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from feature_repo.schema import PROVIDER_MOTION, STREAM_VIEWS
from tests.training.conftest import Prepared
from training import tuning
from training.evaluation import __main__ as command
from training.evaluation import findings, report, verdicts
from training.evaluation.ablation import GROUPS, Ablation
from training.evaluation.evaluate import Evaluated
from training.evaluation.intervals import Estimate
from training.evaluation.measures import METRICS
from training.evaluation.results import Results
from training.evaluation.staleness import ALL_VIEWS, DELAYS_MIN, Staleness
from training.models import DEFAULTS, TrainedModels, save
from training.tuning import Trial, Tuning

SECTIONS = (
    "found",
    "ranking",
    "calibration",
    "arrival",
    "segments",
    "importance",
    "ablation",
    "staleness",
    "tuning",
    "limits",
)
NAN = float("nan")
BETTER = {
    name: Estimate(0.1 * (metric.better or 1), 0.05, 0.2)
    if metric.better >= 0
    else Estimate(-0.1, -0.2, -0.05)
    for name, metric in METRICS.items()
}
WORSE = {name: Estimate(-e.value, -e.high, -e.low) for name, e in BETTER.items()}
NOTHING = dict.fromkeys(METRICS, Estimate(0.0, -0.1, 0.1))
UNKNOWN = dict.fromkeys(METRICS, Estimate(NAN, NAN, NAN))


@pytest.fixture(scope="module")
def whole(evaluated: Evaluated) -> Results:
    """Results with every section, some of what is in them unknown."""
    views = (ALL_VIEWS, *(view.name for view in STREAM_VIEWS))
    trials = (Trial(DEFAULTS, {"ranker": 0.5}, 1.0), Trial(DEFAULTS, {"ranker": 0.4}, 0.8))
    return replace(
        evaluated.results,
        ablation=[Ablation(group, BETTER if n else UNKNOWN) for n, group in enumerate(GROUPS)],
        staleness=[
            Staleness(view, delay, NOTHING, WORSE, BETTER) for delay in DELAYS_MIN for view in views
        ],
        tuning=Tuning(trials, 12.0),
    )


def test_every_section_is_there_and_says_something(whole: Results) -> None:
    """The page has all sections in order, and none of them says that it was not measured."""
    page = report.render(whole)
    assert tuple(re.findall(r'<h2 id="(\w+)"', page)) == SECTIONS
    assert "Not measured in this run" not in page


def test_the_unknown_is_never_shown_as_a_number(whole: Results, evaluated: Evaluated) -> None:
    """No ``nan``, ``inf`` or ``None`` stands anywhere in words or tables; a dash does."""
    for results in (whole, evaluated.results):
        text = re.sub(r'src="data:[^"]*"', "", report.render(results))
        assert not re.search(r"\b(nan|NaN|inf|None)\b", text)
        assert f"<td>{report.NOT_MEASURED}</td>" in text


def test_the_page_begins_with_the_numbers_that_matter(evaluated: Evaluated) -> None:
    """Before any sentence: first choice, arrival, its p90, calibration, beside what to expect."""
    results = evaluated.results
    measured, curve = results.contenders, results.calibration
    (first, of_first), (arrival, of_arrival), (within, _), (off, by_luck) = report.headline(results)
    assert first == f"{measured['model']['true_success_at_1'].value:.1%}"
    assert f"nearest {measured['nearest']['true_success_at_1'].value:.1%}" in of_first
    assert f"best possible {measured['oracle']['true_success_at_1'].value:.1%}" in of_first
    assert arrival == f"{measured['model']['eta_mae_min'].value:.1f} min"
    assert f"{measured['lowest_eta']['eta_mae_min'].value:.1f} min" in of_arrival
    assert within == f"{measured['model']['eta_p90_coverage'].value:.1%}"
    assert (off, f"{curve.error_if_right:.1%}" in by_luck) == (f"{curve.error:.1%}", True)
    page = report.render(results)
    assert page.index(f"<strong>{first}</strong>") < page.index('<h2 id="found"')


def test_a_number_has_its_interval_from_low_to_high() -> None:
    """An interval is told from its lower end; what has none, or is unknown, has no brackets."""
    assert report.estimate(Estimate(0.5, 0.25, 0.75)).striptags() == "0.500 (0.250 to 0.750)"
    assert report.change(Estimate(0.5, -0.25, 0.75), 2).striptags() == "+0.50 (-0.25 to +0.75)"
    assert report.change(Estimate(0.5, NAN, NAN)) == "+0.500"
    assert report.estimate(Estimate(NAN, NAN, NAN)) == report.NOT_MEASURED


def test_the_page_needs_nothing_else(whole: Results) -> None:
    """Nothing is loaded from elsewhere: every source is data, and there is no link or script."""
    page = report.render(whole)
    assert set(re.findall(r'(?:src|href)="(\w+):', page)) == {"data"}
    assert not re.search(r"<(script|link|iframe)|@import|https?://", page)


def test_every_plot_names_its_axes_with_units(whole: Results) -> None:
    """Each drawing is sound XML, and its horizontal axis has a name with a unit."""
    drawings = re.findall(r"data:image/svg\+xml;base64,([^\"]+)", report.render(whole))
    assert len(drawings) >= 6 + len(STREAM_VIEWS)
    for drawing in drawings:
        texts = [
            text
            for element in ET.fromstring(base64.b64decode(drawing)).iter()  # noqa: S314 - ours
            if (text := (element.text or "").strip())
        ]
        assert any(
            re.search(r"\((share|0 to 1|minutes|min)\)|share of the whole", t) for t in texts
        )


def test_curves_of_age_have_the_limit_in_minutes_and_the_loss_without_the_view(
    whole: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A limit of 120 s stands at 2 min; a view worth 0.1 leaves 0.1 less when it is not there."""
    drawn: dict[str, tuple[float | None, float | None]] = {}

    def staleness(found: list[Staleness], _metric: str, *lines: float | None) -> str:
        drawn[found[0].view] = lines
        return "<svg/>"

    monkeypatch.setattr(report.plots, "staleness", staleness)
    worth = [Ablation(group, BETTER) for group in GROUPS]
    report.render(replace(whole, ablation=worth))
    assert drawn["provider_motion"] == (2.0, pytest.approx(-0.1))
    assert drawn[ALL_VIEWS] == (None, None)


def test_what_was_left_out_is_told(evaluated: Evaluated) -> None:
    """A quick page says which options bring ablation and staleness."""
    page = report.render(evaluated.results)
    assert page.count("Not measured in this run") == 2
    assert "--quick" in page
    assert "--data" in page


@pytest.mark.parametrize(
    ("difference", "told", "kind"),
    [(WORSE, "is justified", "good"), (BETTER, "is NOT justified", "bad"),
     (NOTHING, "is not decided", "open")],
)  # fmt: skip
def test_a_limit_is_judged_by_its_curve(
    evaluated: Evaluated, difference: dict[str, Estimate], told: str, kind: str
) -> None:
    """Beyond the limit, old values worse than none justify it, better ones do not."""
    found = [
        Staleness(view.name, delay, NOTHING, NOTHING, difference)
        for view in STREAM_VIEWS
        for delay in DELAYS_MIN
    ]
    assert told in verdicts.of_limit(PROVIDER_MOTION, found)
    judged = findings.findings(replace(evaluated.results, staleness=found))
    (of_motion,) = [each for each in judged if each.text.startswith("provider_motion: the limit")]
    assert of_motion.kind == kind


def test_a_limit_is_not_judged_by_what_is_within_it() -> None:
    """What happens at one minute says nothing of a limit of two."""
    found = [
        Staleness("provider_motion", delay, NOTHING, NOTHING, BETTER if delay < 2 else NOTHING)
        for delay in DELAYS_MIN
    ]
    assert "is not decided" in verdicts.of_limit(PROVIDER_MOTION, found)


def test_a_limit_is_judged_at_the_limit_itself() -> None:
    """At 120 s a value is beyond a limit of 120 s."""
    found = [
        Staleness("provider_motion", delay, NOTHING, NOTHING, BETTER if delay == 2 else NOTHING)
        for delay in DELAYS_MIN
    ]
    assert "is NOT justified by these curves: at 2 min" in verdicts.of_limit(PROVIDER_MOTION, found)


@pytest.mark.parametrize(
    ("low", "high", "side", "kind"),
    [(0.80, 0.85, "too few", "bad"), (0.88, 0.95, "as it should", "good"),
     (0.93, 0.97, "too many", "bad")],
)  # fmt: skip
def test_a_p90_may_be_wrong_to_either_side(
    evaluated: Evaluated, low: float, high: float, side: str, kind: str
) -> None:
    """Nine of ten must lie within the interval of the share; more than that is no better."""
    model = evaluated.results.contenders["model"]
    covered = {**model, "eta_p90_coverage": Estimate((low + high) / 2, low, high)}
    contenders = {**evaluated.results.contenders, "model": covered}
    told = findings.findings(replace(evaluated.results, contenders=contenders))
    (of_p90,) = [each for each in told if "nine of ten" in each.text]
    assert (of_p90.kind, of_p90.text.endswith(f": {side}.")) == (kind, True)


@pytest.mark.parametrize(("bias", "way"), [(0.04, "too high"), (-0.04, "too low")])
def test_chances_off_are_told_with_their_side(evaluated: Evaluated, bias: float, way: str) -> None:
    """Chances beyond what luck makes are bad news, and the sentence says whether they promise."""
    model = evaluated.results.contenders["model"]
    off = {**model, "success_bias": Estimate(bias, bias - 0.01, bias + 0.01)}
    for error, kind in ((0.05, "bad"), (0.01, "good")):
        results = replace(
            evaluated.results,
            contenders={**evaluated.results.contenders, "model": off},
            calibration=replace(evaluated.results.calibration, error=error, error_if_right=0.03),
        )
        (told,) = [f for f in findings.findings(results) if "calibration error" in f.text]
        assert (told.kind, f"they are {way}" in told.text) == (kind, True)


@pytest.mark.parametrize(
    ("gained", "kind"), [((-1.0, -2.0, -0.5), "good"), ((1.0, 0.5, 2.0), "bad")]
)
def test_fewer_minutes_off_than_the_formula_is_good(
    evaluated: Evaluated, gained: tuple[float, float, float], kind: str
) -> None:
    """An error is better when it is smaller; a bias below zero promises too short a time."""
    less = {**evaluated.results.model_less}
    less["lowest_eta"] = {**less["lowest_eta"], "eta_mae_min": Estimate(*gained)}
    model = {**evaluated.results.contenders["model"], "eta_bias_min": Estimate(-1.5, -2.0, -1.0)}
    results = replace(
        evaluated.results,
        model_less=less,
        contenders={**evaluated.results.contenders, "model": model},
    )
    (told,) = [f for f in findings.findings(results) if f.text.startswith("Minutes to arrival")]
    assert told.kind == kind
    assert "too short by 1.5 min" in told.text


def test_a_model_that_is_no_better_is_told(evaluated: Evaluated) -> None:
    """Where a rule wins, the first page says so in red."""
    beaten = {**evaluated.results.model_less, "nearest": WORSE}
    told = findings.findings(replace(evaluated.results, model_less=beaten))
    (of_nearest,) = [each for each in told if "“nearest”" in each.text]
    assert of_nearest.kind == findings.BAD
    assert "is WORSE by" in of_nearest.text


def test_the_command_writes_page_and_metrics(
    prepared: Prepared,
    trained: TrainedModels,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The quick command ends with 0, the findings, a page and the bundle's metrics."""
    save(trained, prepared.work)
    page = tmp_path / "sub" / "page.html"
    arguments = ["--work", str(prepared.work), "--report", str(page), "--quick"]
    assert command.main(arguments) == 0
    assert "The whole report" in capsys.readouterr().out
    assert page.read_text().startswith("<!doctype html>")
    assert (prepared.work / "metrics.json").is_file()
    assert tuning.load(prepared.work) is None


def test_a_missing_training_set_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty work directory ends with code 2 and the step that fills it."""
    with pytest.raises(SystemExit) as ended:
        command.main(["--work", str(tmp_path)])
    assert ended.value.code == 2
    assert "python -m training.dataset" in capsys.readouterr().err
