"""The models that are put up for promotion: one good, the others bad each in its way."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from catboost import CatBoost

from deploy.sagemaker.pipeline.gates import GATES
from feature_repo import bundle_manifest
from tests.support.bundles import make_bundle

EVALUATION = "evaluation.json"
PERCENT = 100.0


@dataclass(frozen=True)
class Candidate:
    """A model up for promotion.

    Attributes:
        name: How tables call it.
        image: Of its container; None is the one in production.
        fault: What is wrong with it; empty where nothing is.
    """

    name: str
    image: str | None = None
    fault: str = ""


GOOD = Candidate("good")
SLOW = Candidate("slow", "slow", "each answer 0.4 s late")
CRASHING = Candidate("crashing", "crashing", "its process ends at the fourth question")
WRONG = Candidate("wrong", None, "chances of success in percent")
INVERTED = Candidate("inverted", None, "the worst first; else it is well")


def make(candidate: Candidate | None, directory: Path) -> Path:
    """Make a candidate's bundle, or the incumbent's; return its directory."""
    name = "incumbent" if candidate is None else candidate.name
    bundle = directory / name
    make_bundle(bundle, iterations=40 if candidate is None else 50)
    manifest = bundle_manifest.load(bundle)
    changes: dict[str, Any] = {"version": name}
    if candidate is WRONG:
        chances = tuple(PERCENT * chance for chance in manifest.calibration.y)
        changes["calibration"] = msgspec.structs.replace(manifest.calibration, y=chances)
    if candidate is INVERTED:
        _invert(bundle / manifest.models.ranker)
    bundle_manifest.save(msgspec.structs.replace(manifest, **changes), bundle)
    (directory / f"{name}-{EVALUATION}").write_bytes(msgspec.json.encode(_evaluation(name)))
    return bundle


def _evaluation(version: str) -> dict[str, Any]:
    """Return what an evaluation would say of a model that may be promoted: made up."""
    gates = {gate.measure: 1.0 if gate.is_least else 0.0 for gate in GATES}
    return {"version": version, "test": {"requests": 900}, "gates": gates}


def _invert(ranker: Path) -> None:
    model = CatBoost().load_model(str(ranker))
    scale, bias = model.get_scale_and_bias()
    model.set_scale_and_bias(-scale, float(-np.asarray(bias).item()))
    model.save_model(str(ranker))
