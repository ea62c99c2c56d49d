"""The stand-in does what SageMaker documents of weights, shadows and blue/green changes."""

from collections import Counter
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from deploy.promotion import captured
from deploy.promotion.endpoint import Deployment, Guard, Variant, captured_below
from tests.deploy.local.endpoint.conftest import (
    BROKEN,
    FIRST,
    SECOND,
    StandIn,
    until,
    variants,
)

pytestmark = pytest.mark.integration

ASKED = 200


def test_the_model_in_production_answers_and_says_which_variant_it_is(stand_in: StandIn) -> None:
    """As the runtime API does: the answer, and the variant in a header."""
    assert stand_in.ask() == (200, b"first", "production")


def test_requests_are_shared_by_the_weights(settled: StandIn) -> None:
    """At weights of 75 and 25 about a quarter of the requests is the candidate's."""
    settled.serve(Deployment("shared", variants(75, 25)))
    told = Counter(settled.ask() for _ in range(ASKED))
    assert set(told) == {(200, b"first", "production"), (200, b"second", "candidate")}
    assert 0.1 < told[200, b"second", "candidate"] / ASKED < 0.4


def test_a_variant_without_weight_gets_nothing(settled: StandIn) -> None:
    """A candidate joins without being asked."""
    settled.serve(Deployment("joined", variants(100, 0)))
    assert {settled.ask()[2] for _ in range(50)} == {"production"}


def test_a_shadow_is_asked_and_not_listened_to(settled: StandIn) -> None:
    """Production answers; both are captured with the same questions, and measured."""
    settled.storage._client.create_bucket(Bucket="captures")
    production, shadow = Variant("production", FIRST), Variant("shadow", SECOND)
    made = Deployment("shadowed", (production,), shadow, FIRST, "s3://captures/here", 100)
    began = datetime.now(UTC)
    settled.serve(made)
    assert {settled.ask(b"question %d" % number)[1] for number in range(20)} == {b"first"}

    def both() -> list[tuple[bytes, bytes]]:
        each = (
            [
                answer
                for file in settled.storage.below(captured_below(made, name), began)
                for answer in captured.answers(file)
            ]
            for name in ("production", "shadow")
        )
        return captured.pairs(*each)

    until(lambda: both() == [(b"first", b"second")] * 20)
    until(lambda: settled.measurements.measured("shadow", began, datetime.now(UTC)).requests == 20)


def test_a_failure_is_a_model_error_and_is_counted(settled: StandIn) -> None:
    """What the container answers with 500 is 424 to who asked, and an error of its variant."""
    began = datetime.now(UTC)
    assert settled.ask(b"fail first")[::2] == (424, "production")
    until(lambda: settled.measurements.measured("production", began, datetime.now(UTC)).errors == 1)


def test_an_alarm_while_it_bakes_brings_the_old_fleet_back(settled: StandIn) -> None:
    """The candidate's failures end the change within seconds; it says which alarm rang."""
    settled.alarm("failing", "candidate")
    made = Deployment("failing", variants(50, 50))
    settled.endpoint.make(made, like=FIRST)
    settled.endpoint.update("failing", Guard(["failing"], 60))
    until(lambda: settled.ask(b"fail second")[2] == "candidate")
    now = settled.endpoint.wait(lambda _: settled.ask(b"fail second"))
    assert (now.config, now.status) == (FIRST, "InService")
    assert now.failure == "Alarms tripped during the deployment: failing"
    assert settled.ask()[1] == b"first"


def test_one_variants_alarm_does_not_ring_for_the_others_failures(settled: StandIn) -> None:
    """Production fails as often as it likes: another variant's alarm is its own."""
    settled.alarm("of-another", "another")
    settled.alarm("of-production", "production")
    for _ in range(5):
        settled.ask(b"fail first")
    names = ["of-another", "of-production"]
    until(lambda: settled.measurements.alarms(names)["of-production"] == "ALARM")
    assert settled.measurements.alarms(names)["of-another"] == "OK"


def test_an_alarm_that_is_tripped_by_hand_ends_a_change(settled: StandIn) -> None:
    """A change cannot be called off; who wants that trips one of its alarms."""
    settled.alarm("tripped", "candidate")
    settled.endpoint.make(Deployment("called-off", variants(50, 50)), like=FIRST)
    settled.endpoint.update("called-off", Guard(["tripped"], 60))
    now = settled.endpoint.wait(lambda _: settled.measurements.trip("tripped", "a test"))
    assert (now.config, now.status) == (FIRST, "InService")


def test_a_fleet_that_does_not_start_leaves_the_old_one(settled: StandIn) -> None:
    """A container that ends at once never gets a request."""
    now = settled.serve(Deployment("broken", variants(50, 50, BROKEN)))
    assert (now.config, now.status) == (FIRST, "InService")
    assert "did not start" in now.failure
    assert {settled.ask()[2] for _ in range(20)} == {"production"}


def test_a_change_is_not_changed(settled: StandIn) -> None:
    """While one is under way, another is refused, as SageMaker does."""
    settled.endpoint.make(Deployment("one", variants(100, 0)), like=FIRST)
    settled.endpoint.update("one", None)
    with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
        settled.endpoint.update("one", None)


def test_what_is_not_known_is_refused_by_name(stand_in: StandIn) -> None:
    """An operation that the stand-in does not have is told, not taken."""
    with pytest.raises(ClientError, match="'ListPipelines' is not known here"):
        stand_in.sagemaker.list_pipelines()
