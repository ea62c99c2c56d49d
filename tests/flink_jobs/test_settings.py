"""Settings: what a file gives, and what is said of one that cannot be used."""

import json
from pathlib import Path

import pytest

from flink_jobs.settings import SettingsError, load, parse

REDIS = {"feature_store": {"redis_url": "redis://127.0.0.1:6379/0"}}


def encoded(groups: dict[str, dict[str, str]]) -> bytes:
    """Return the file's text."""
    return json.dumps(
        [{"PropertyGroupId": name, "PropertyMap": values} for name, values in groups.items()]
    ).encode()


def test_values_are_typed_and_the_rest_has_defaults() -> None:
    """Text in the file becomes numbers, and what is not given is as documented."""
    settings = parse(encoded({**REDIS, "event_time": {"motion_slide_s": "30"}}))

    assert settings.event_time.motion_slide_s == 30
    assert settings.event_time.max_age_s == 600
    assert settings.jobs.selected == (
        "provider_motion",
        "provider_availability",
        "cell_conditions",
        "cell_demand",
    )


def test_one_view_can_be_selected() -> None:
    """An application may compute some of the views."""
    settings = parse(encoded({**REDIS, "jobs": {"views": "cell_demand, provider_motion"}}))

    assert settings.jobs.selected == ("provider_motion", "cell_demand")


def test_groups_of_the_service_are_left_alone() -> None:
    """The service's own groups in the same file are no error."""
    parse(encoded({**REDIS, "kinesis.analytics.flink.run.options": {"python": "main.py"}}))


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ({}, ("feature_store", "redis_url", "add it")),
        ({**REDIS, "event_time": {"motion_slide_s": "soon"}}, ("motion_slide_s", "'soon'")),
        ({**REDIS, "event_time": {"motion_slide_s": "0"}}, ("motion_slide_s", "'0'")),
        ({**REDIS, "event_time": {"motion_slide_s": "50"}}, ("motion_slide_s", "divides 120")),
        ({**REDIS, "event_time": {"slide": "5"}}, ("'slide'", "its keys are", "motion_slide_s")),
        ({**REDIS, "jobs": {"views": "motion"}}, ("views", "'motion'", "provider_motion")),
        ({**REDIS, "streams": {"initial_position": "NOW"}}, ("initial_position", "'NOW'")),
        ({**REDIS, "streams": {"kind": "archive"}}, ("archive_dir", "add it")),
    ],
)
def test_a_wrong_value_is_named_with_group_and_remedy(
    groups: dict[str, dict[str, str]], words: tuple[str, ...]
) -> None:
    """An error names the key, the value and what to do, in one line."""
    with pytest.raises(SettingsError) as error:
        parse(encoded(groups))

    assert all(word in str(error.value) for word in words)
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A missing file is an error with its path, not a traceback's."""
    with pytest.raises(SettingsError, match="absent"):
        load(tmp_path / "absent.json")


def test_a_file_of_another_form_is_refused() -> None:
    """JSON that is not a list of groups says what it should be."""
    with pytest.raises(SettingsError, match="PropertyGroupId"):
        parse(b'{"redis_url": "x"}')
