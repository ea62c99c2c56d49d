"""The analyst's page: its diff applies, and does what the page says."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
FEATURE = "eta_share_of_promise"
_PROGRAM = f"""
import warnings; warnings.simplefilter("ignore")
import numpy as np
from feature_repo import model_matrix, views
from feature_repo.request_time import RequestColumns

assert "{FEATURE}" in [field.name for field in views.request_time.features]
count = 2
columns = {{
    name: np.array([""] * count, dtype=object) if kind == "String" else np.full(count, 1.0)
    for name, kind in (
        (model_matrix.full_name(view.name, column.name), column.kind.value)
        for view in model_matrix.VIEWS.values() for column in view.columns
    )
}}
ones = np.ones(count)
request = RequestColumns(ones, ones, ones, ones, ones, 40 * ones, ones)
matrix = model_matrix.model_matrix(columns, request)
place = {{name: model_matrix.MODEL_FEATURES.index(f"request_time__{{name}}")
         for name in ("{FEATURE}", "eta_min")}}
np.testing.assert_allclose(
    matrix[:, place["{FEATURE}"]], matrix[:, place["eta_min"]] / 40, rtol=1e-6
)
print(model_matrix.MODEL_FINGERPRINT)
"""


def test_a_feature_is_added_in_one_place(tmp_path: Path) -> None:
    """The page's diff brings the feature to Feast, to training and to serving, and a new model."""
    shutil.copytree(REPOSITORY / "feature_repo", tmp_path / "feature_repo")
    page = (REPOSITORY / "docs" / "analyst.md").read_text()
    (diff,) = re.findall(r"```diff\n(.*?)```", page, flags=re.DOTALL)
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=diff, text=True, check=True)
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    from feature_repo.model_matrix import MODEL_FINGERPRINT  # noqa: PLC0415 - the one without it

    assert done.stdout.strip() != MODEL_FINGERPRINT
