"""The table of gates, its page, and the parameters."""

import re

from deploy.sagemaker.pipeline.gates import GATES
from deploy.sagemaker.pipeline.settings import parameters
from tests.deploy.sagemaker.example import SETTINGS
from tests.support.container_image import REPOSITORY

PAGE = (REPOSITORY / "docs/retraining.md").read_text()


def test_the_page_tells_each_threshold() -> None:
    """A row of docs/retraining.md has each gate's number, way, parameter and default."""
    rows = re.findall(r"\| `(\w+)` \| (.) `(\w+)` \| ([\d.]+) \|", PAGE)
    assert rows == [
        (gate.measure, "≥" if gate.is_least else "≤", gate.parameter, f"{gate.threshold:g}")
        for gate in GATES
    ]


def test_the_page_tells_each_parameter() -> None:
    """What an execution may be told beside thresholds stands in the page's table."""
    thresholds = {gate.parameter for gate in GATES}
    names = {each.name for each in parameters(SETTINGS)} - thresholds
    assert names == {name for name in names if f"`{name}`" in PAGE}
