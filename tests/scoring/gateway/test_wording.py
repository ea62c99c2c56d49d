"""What is said about a feature is what its values say: each sentence is read back and compared."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_repo.model_matrix import MODEL_FEATURES
from scoring.gateway.wording import MOVING_KPH, SENTENCES, TOWARDS_DEG, Group, Known, group_of

Values = dict[str, float]


def _known(**given_values: float) -> Known:
    row = [given_values.get(name, float("nan")) for name in MODEL_FEATURES]
    return Known(row)


def test_every_model_feature_belongs_to_a_group() -> None:
    """No feature of the model is left without a group for the explanation."""
    assert {group_of(name) for name in MODEL_FEATURES} <= set(Group)


def test_every_sentence_is_about_a_feature_of_the_model() -> None:
    """A sentence for a feature that the model does not have would never be said."""
    assert set(SENTENCES) <= set(MODEL_FEATURES)


@pytest.mark.parametrize("name", SENTENCES)
def test_nothing_is_said_of_what_is_unknown(name: str) -> None:
    """Where a value is unknown there is no sentence, whatever else is known."""
    assert SENTENCES[name](_known()) is None
    others = {other: 1.0 for other in MODEL_FEATURES if other != name}
    if name != "request_time__bearing_off_heading_deg":  # it is about the speed as well
        others.pop(name.replace("declines", "offers").replace("accepts", "offers"), None)
        assert SENTENCES[name](_known(**others)) is None


@pytest.mark.parametrize("name", SENTENCES)
def test_every_sentence_reads_without_a_number_out_of_place(name: str) -> None:
    """Each sentence can be said of ordinary values, and says more than its feature's name."""
    text = SENTENCES[name](_known(**dict.fromkeys(MODEL_FEATURES, 1.0)))
    assert text
    assert "__" not in text
    assert "nan" not in text


@pytest.mark.parametrize(
    ("offers", "declines", "said"),
    [
        (4, 3, "declined 3 of 4 offers in the last hour"),
        (1, 0, "declined 0 of 1 offer in the last hour"),
        (0, 0, "no offer in the last hour"),
        (1, 2, None),  # one of the two offers was made before the hour
    ],
)
def test_declines_are_told_with_the_offers(offers: float, declines: float, said: str) -> None:
    """Offers and answers read as one sentence; where they do not fit, nothing is said."""
    known = _known(
        provider_availability__declines_1h=declines, provider_availability__offers_1h=offers
    )
    assert SENTENCES["provider_availability__declines_1h"](known) == said


@pytest.mark.parametrize(
    ("speed_kph", "off_deg", "said"),
    [
        (0, 10, "standing still"),
        (50, 10, "already heading this way"),
        (50, 170, "heading another way"),
    ],
)
def test_the_heading_is_told_of_who_moves(speed_kph: float, off_deg: float, said: str) -> None:
    """A truck that stands has no heading; one whose speed is unknown is not said to stand."""
    name = "request_time__bearing_off_heading_deg"
    moving = {"provider_motion__speed_mean_kph": speed_kph, name: off_deg}
    assert SENTENCES[name](_known(**moving)) == said
    assert SENTENCES[name](_known(**{name: off_deg})) is None


def _counts(text: str, values: Values, name: str) -> None:
    """Check "declined 3 of 4 offers in the last hour" and its likes."""
    window = "30m" if "30 min" in text else "1h"
    offers = values[f"provider_availability__offers_{window}"]
    if text.startswith("no offer"):
        assert offers == 0
        return
    numbers = [
        float(number) for number in re.findall(r"\d+", text.split(" in the last", maxsplit=1)[0])
    ]
    assert numbers[-1] == offers
    if "of" in text.split():
        assert numbers[0] == values[name] <= offers
        assert text.startswith("declined" if "declines" in name else "accepted")


def _number(say: str, scale: float = 1.0, tolerance: float = 0.5) -> Callable[..., None]:
    """Check that the number in a sentence is the value, in its unit, as it is rounded."""

    def check(text: str, values: Values, name: str) -> None:
        found = re.fullmatch(say.replace("#", r"(-?[\d.]+|no)"), text)
        assert found, text
        number = 0.0 if found[1] == "no" else float(found[1])
        assert abs(number - values[name] * scale) <= tolerance + 1e-9

    return check


def _lateness(text: str, values: Values, name: str) -> None:
    late = values[name]
    minutes = [float(number) for number in re.findall(r"(\d+) min", text)]
    if "not late" in text or "at the promised" in text:
        assert late <= 0.5
        assert "p90" in name or late >= -0.5
    else:
        assert abs(minutes[0] - abs(late)) <= 0.5
        assert ("before" in text) == (late < 0)


def _heading(text: str, values: Values, name: str) -> None:
    speed = values["provider_motion__speed_mean_kph"]
    assert (text == "standing still") == (speed <= MOVING_KPH)
    assert (text == "already heading this way") == (
        speed > MOVING_KPH and values[name] < TOWARDS_DEG
    )


READ_BACK: dict[str, Callable[[str, Values, str], None]] = {
    r"provider_history__acceptance": _number(
        r"accepts #% of offers for this service \(\d+ days\)", 100
    ),
    r"provider_history__completion": _number(r"completes #% of jobs taken \(\d+ days\)", 100),
    r"provider_history__cancel": _number(r"cancels #% of jobs taken \(\d+ days\)", 100),
    r"provider_history__satisfaction": _number(r"rated # of 5 by drivers \(\d+ days\)", 1, 0.05),
    r"provider_history__jobs": _number(r"took # jobs? of this service \(\d+ days\)"),
    r"provider_history__eta_error": _lateness,
    r"provider_availability__(offers|accepts|declines)": _counts,
    r"provider_availability__free_capacity": _number("# trucks? free"),
    r"provider_availability__active_jobs": _number("# jobs? in hand"),
    r"provider_profile__contract_tier": _number("contract tier #"),
    r"provider_profile__cost": _number(r"costs \$# a job"),
    r"provider_profile__radius": _number("contract reaches # km from its base"),
    r"request_time__bearing": _heading,
    r"request_time__is_available": lambda text, values, name: _is(
        (text == "available now") == (values[name] == 1)
    ),
    r"request_time__minutes_in_status": _number("in this status for # min"),
    r"request_time__minutes_to_shift_end": _number("shift ends in # h", 1 / 60, 0.05),
    r"request_time__base_distance_km": _number("base is # km from the driver", 1, 0.05),
}  # fmt: skip


def _is(fact: bool) -> None:
    assert fact


def _values(rng: np.random.Generator) -> Values:
    """Return ordinary values of every feature that is worded."""
    values = dict.fromkeys(MODEL_FEATURES, 1.0)
    for name in values:
        values[name] = float(np.float32(_ordinary(name, rng)))
    return values


ORDINARY = {
    "rate": (0, 1),
    "satisfaction": (1, 5),
    "eta_error": (-20, 40),
    "bearing": (0, 180),
    "offers|accepts|declines|capacity|active_jobs|jobs_|tier": range(6),
    "is_available": range(2),
    "": (0, 200),
}
"""Parts of names to ranges of real numbers, or to the numbers themselves; the first that fits."""


def _ordinary(name: str, rng: np.random.Generator) -> Any:
    ordinary = next(values for part, values in ORDINARY.items() if re.search(part, name))
    return rng.choice(ordinary) if isinstance(ordinary, range) else rng.uniform(*ordinary)


@given(seed=st.integers(0, 2**32 - 1))
def test_no_sentence_claims_what_the_row_contradicts(seed: int) -> None:
    """Each sentence, read back, gives the values that it was made from, of that very feature."""
    values = _values(np.random.default_rng(seed))
    known = _known(**values)
    for name, sentence in SENTENCES.items():
        (check,) = [check for pattern, check in READ_BACK.items() if re.match(pattern, name)]
        text = sentence(known)
        if text is None:  # only answers that do not fit their offers are not said
            assert values[name] > values[re.sub("accepts|declines", "offers", name)]
        else:
            check(text, values, name)
            days = re.search(r"(\d+) days", text)
            assert days is None or name.endswith(f"_{days[1]}d")
