"""The daily job's report, as ``training.monitoring`` leaves it in a directory."""

import re
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from deploy.promotion.evidence import Monitored
from deploy.promotion.failures import RefusedError

FINDINGS, METRICS = "findings.json", "monitoring.prom"
_FINISHED = re.compile(r"^monitoring_finished_seconds (\S+)$", re.MULTILINE)


class _Finding(msgspec.Struct, frozen=True):
    severity: str
    kind: str
    feature: str


def read(directory: Path) -> Monitored:
    """Return what of the report stops a promotion.

    Raises:
        RefusedError: There is no report, or it is none of the daily job's.
    """
    try:
        content = (directory / FINDINGS).read_bytes()
        findings = msgspec.json.decode(content, type=list[_Finding])
        finished = _FINISHED.search((directory / METRICS).read_text())
    except (OSError, msgspec.DecodeError) as error:
        raise RefusedError(
            f"skew: no report in {directory} ({error}); run `python -m training.monitoring`"
        ) from error
    if finished is None:
        raise RefusedError(f"skew: {directory / METRICS} does not say when it was made")
    return Monitored(
        stops=tuple(f"{f.kind} of {f.feature}" for f in findings if f.severity == "stop"),
        finished=datetime.fromtimestamp(float(finished[1]), UTC),
    )
