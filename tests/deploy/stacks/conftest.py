from importlib.util import find_spec

import pytest

from tests.deploy.stacks.templates import Templates

# The stacks' packages are in the deploy environment only: docs/decisions/0010.
collect_ignore_glob = [] if find_spec("aws_cdk") else ["test_*.py"]


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """The app, synthesized once for all tests."""
    from deploy.app import synthesize  # noqa: PLC0415 - in the deploy environment only

    return Templates(synthesize(tmp_path_factory.mktemp("cdk.out")))
