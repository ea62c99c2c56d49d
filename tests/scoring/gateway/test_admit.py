import json
from typing import Any

import pytest

from scoring.gateway.admit import admit, deadline
from scoring.gateway.errors import InvalidRequestError

RIGHT = {"event_id": "e", "location": {"lat": 1, "lon": 2}, "service": "tow"}


@pytest.mark.parametrize(
    ("given", "field", "value", "remedy"),
    [
        ({"location": {"lat": 95, "lon": 0}}, "location.lat", "95", "send a number from -90 to 90"),
        ({"location": {"lat": 1}}, "location.lon", "absent", "add it: a number from -180 to 180"),
        ({"location": 3}, "location", "3", "send an object with lat, lon"),
        ({"service": "teleport"}, "service", "teleport",
         "send one of fuel, jump_start, lockout, tire_change, tow, winch"),
        ({"vehicle_class": 4}, "vehicle_class", "4", "send a whole number from 1 to 3"),
        ({"promised_minutes": 0}, "promised_minutes", "0",
         "send a number from 0 (without it) to 480"),
        ({"promised_minutes": float("nan")}, "body", None, "send a JSON object as /docs shows it"),
        ({"top_k": 0}, "top_k", "0", "send a whole number from 1 to 50"),
        ({"event_id": ""}, "event_id", "", "send text of 1 to 128 characters"),
        ({"candidates": ["a", 3]}, "candidates[1]", "3",
         "send a list of at most 1000 provider ids, which are text"),
        ({"servise": "tow"}, "servise", "tow",
         "leave it out; the fields are event_id, location, service, vehicle_class, "
         "promised_minutes, candidates, top_k"),
        ({"location": {"lat": 1, "lon": 2, "alt": 3}}, "location.alt", "3",
         "leave it out; the fields are lat, lon"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_with_its_remedy(
    given: dict[str, Any], field: str, value: str | None, remedy: str
) -> None:
    """A wrong field is refused by its path, with its value and what to send instead."""
    with pytest.raises(InvalidRequestError) as caught:
        admit(json.dumps({**RIGHT, **given}).encode())
    assert (caught.value.field, caught.value.remedy) == (field, remedy)
    assert value is None or caught.value.value == value


@pytest.mark.parametrize("missing", RIGHT)
def test_a_missing_field_is_asked_for(missing: str) -> None:
    """Each field that is needed is named when it is not there, and what it should be."""
    with pytest.raises(InvalidRequestError, match="add it: ") as caught:
        admit(json.dumps({k: v for k, v in RIGHT.items() if k != missing}).encode())
    assert (caught.value.field, caught.value.value) == (missing, "absent")


@pytest.mark.parametrize("header", ["", "0", "-5", "abc", "1.5", "10001", "1e3", "9" * 5000])
def test_a_deadline_that_is_none_is_refused(header: str) -> None:
    """A header that is no number of milliseconds in range is 422, never a default or a crash."""
    with pytest.raises(InvalidRequestError, match="X-Deadline-Ms"):
        deadline(header)
