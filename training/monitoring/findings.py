"""What is wrong, where, by how much, and what to do about it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Whether a finding stops a promotion."""

    STOP = "stop"
    TELL = "tell"


class Kind(StrEnum):
    """What a finding is, causes before symptoms; ``ADVICE`` has what to do."""

    UNIT = "unit_change"
    LAG = "lag"
    FUTURE = "from_the_future"
    STUCK = "stuck_feed"
    AVAILABLE = "everyone_available"
    UNUSABLE = "availability_unusable"
    CALIBRATION = "calibration"
    SKEW = "skew"
    MISSING = "missing"
    PSI = "drift_psi"
    KS = "drift_ks"
    UNRIPE = "no_ripe_labels"
    OTHER_MODEL = "other_model"


ADVICE: dict[Kind, str] = {
    Kind.SKEW: "Compare the rows named here in Redis and in the offline files: one of the two "
    "paths computes or writes another value. Do not train on this day until they agree.",
    Kind.UNIT: "Ask the source which unit it sends since when; convert it in the job's source, "
    "backfill the hours since, and do not train on them before.",
    Kind.LAG: "Look at the view's beacon and the job's watermark_lag_ms: the stream or the job is "
    "behind. If only the served rows are, look at the write to Redis.",
    Kind.FUTURE: "A clock is ahead, of the source or of the gateway: compare their times; values "
    "from after the decision must not be trained on.",
    Kind.PSI: "Open the feature's plot. If the world has changed, train again with these days; if "
    "a source has, mend the source first.",
    Kind.KS: "Open the feature's plot. If the world has changed, train again with these days; if "
    "a source has, mend the source first.",
    Kind.MISSING: "See which view is missing, then its job, its beacon and its dead letters. The "
    "model works without the view, but it was not trained to for long.",
    Kind.STUCK: "The feed repeats itself: ask its provider, and compare one cell with another "
    "source. Until then stop the feed, so that its values become unknown.",
    Kind.AVAILABLE: "Somebody's system no longer reports who is busy. Compare acceptances of the "
    "segment; block the providers or take the source off until it reports again.",
    Kind.UNUSABLE: "Availability does not arrive or arrives late: see the job's beacon and the "
    "stream's age. Providers are being left out meanwhile.",
    Kind.CALIBRATION: "Look at the deciles. Fit the calibration again on newer labels; if only one "
    "segment is off, look for its drift first.",
    Kind.UNRIPE: "Run again when the labels are older than the maturity window, or with a later "
    "--as-of; until then nothing is known of quality.",
    Kind.OTHER_MODEL: "Give the bundle that served these decisions with --bundle; calibration "
    "counts only its own.",
}


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be.

    Attributes:
        severity: Whether it stops a promotion.
        kind: What it is.
        feature: The feature, feed or view; empty where it is about all.
        segment: Of which decisions, as ``kind=name``, or ``all``.
        value: What was found.
        limit: What is allowed.
        detail: The rest, as a sentence.
    """

    severity: Severity
    kind: Kind
    feature: str
    segment: str
    value: float
    limit: float
    detail: str

    @property
    def advice(self) -> str:
        """What to do."""
        return ADVICE[self.kind]

    @property
    def view(self) -> str:
        """The feature's view, or what stands in its place."""
        return self.feature.split("__", maxsplit=1)[0]


@dataclass(frozen=True)
class Group:
    """Findings of one kind about one view: usually one cause.

    Attributes:
        worst: The one to look at first.
        others: The rest.
    """

    worst: Finding
    others: tuple[Finding, ...]


def grouped(findings: Iterable[Finding]) -> list[Group]:
    """Return the findings by severity, kind and view; what stops comes first."""
    groups: dict[tuple[Severity, Kind, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.severity, finding.kind, finding.view), []).append(finding)
    order = (list(Severity), list(Kind))
    keys = sorted(groups, key=lambda key: (order[0].index(key[0]), order[1].index(key[1]), key[2]))
    return [_group(groups[key]) for key in keys]


def _group(findings: Sequence[Finding]) -> Group:
    # all decisions before a segment of them, then the farthest from its limit
    ranked = sorted(
        findings, key=lambda f: (f.segment != "all", -abs(f.value - f.limit), f.feature)
    )
    return Group(ranked[0], tuple(ranked[1:]))


def stops(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that stop a promotion."""
    return [finding for finding in findings if finding.severity is Severity.STOP]
