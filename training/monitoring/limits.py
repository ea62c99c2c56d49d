"""How much is too much: every threshold of the daily job, with its reason."""

from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import yaml

from training.errors import DataError


@dataclass(frozen=True)
class Limits:
    """The thresholds; change one only with a reason as good as the one that stands here.

    Attributes:
        equal_share: Least share of served values that equal history's. A decision reads some 10 ms
            after its time, so a row that was written in between was served and is not history's:
            one in a thousand where rows are replaced every 15 s. The count of available candidates
            is of hundreds of rows, each of which may be such a one: for it there is the rest.
        psi: Population stability index that stops. 0.25 is the convention for "the population has
            changed" (Siddiqi, Credit Risk Scorecards, 2006).
        psi_told: The same convention's "look at it": told, stops nothing.
        ks: Largest distance of two distribution functions. 0.2 moves a fifth of the rows.
        missing_increase: Rise of the share of unknown values. A view that is dead for a tenth of
            the day or of the providers.
        false_alarm: Chance that a run without any drift stops by chance, over all its comparisons:
            one in a thousand daily runs. Small samples need a larger PSI or KS by it.
        repeat_increase: Rise of the share of a feed's readings that repeat the one before (of the
            same cell, at least ten minutes earlier). A feed that is stuck for a third of the day.
        unavailable_left: Share of the reference's unavailable providers that must still be seen.
            Below a quarter, statuses say less than they did.
        lag_s: How much older the freshest tenth of a view's rows may be. Half of what a view
            allows before its values count as unknown (120 s).
        unusable_share: Share of all candidates excluded because their availability is stale or
            unknown. More than a fifth is no longer single providers.
        calibration_error: Expected calibration error of ripe labels. An answer's chance is told
            in steps that a person takes for 10 % at best.
        least_decisions: Fewer decisions of a segment, served or in the reference, are not judged.
    """

    equal_share: float = 0.98
    psi: float = 0.25
    psi_told: float = 0.1
    ks: float = 0.2
    missing_increase: float = 0.1
    false_alarm: float = 0.001
    repeat_increase: float = 0.33
    unavailable_left: float = 0.25
    lag_s: float = 60.0
    unusable_share: float = 0.2
    calibration_error: float = 0.1
    least_decisions: float = 30.0


def load(path: Path | None, changes: list[str]) -> Limits:
    """Return the limits of a YAML file (name to number), changed by ``NAME=VALUE`` texts.

    Raises:
        DataError: The file cannot be read, a name is not a limit's, or a value is no number.
    """
    given: dict[object, object] = {} if path is None else _read(path)
    for change in changes:
        name, sign, value = change.partition("=")
        if not sign:
            raise DataError(f"--limit {change!r} is not NAME=VALUE; for example --limit psi=0.3")
        given[name] = value
    return replace(Limits(), **{str(name): _number(name, value) for name, value in given.items()})


def _read(path: Path) -> dict[object, object]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DataError(f"--limits {path} cannot be read ({error}); give a YAML file") from error
    if not isinstance(content, dict):
        raise DataError(f"--limits {path} has {content!r}; it needs lines such as `psi: 0.3`")
    return content


def _number(name: object, value: object) -> float:
    names = [field.name for field in fields(Limits)]
    if name not in names:
        raise DataError(f"limit {name!r} is not known; the limits are {', '.join(names)}")
    try:
        number = float(str(value))
    except ValueError:
        number = float("nan")
    if not 0 <= number < float("inf"):
        default = asdict(Limits())[str(name)]
        raise DataError(f"limit {name} is {value!r}: give a number from 0, such as {default}")
    return number
