"""What the daily job measured, for Prometheus' node exporter (textfile collector)."""

import math
import time
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from training.monitoring.day import Examined
from training.monitoring.findings import Kind, Severity
from training.monitoring.segments import ALL
from training.monitoring.tables import tuples

Labels = dict[str, str]


def write(examined: Examined, path: Path, finished_s: float | None = None) -> None:
    """Write the metrics to a ``.prom`` file, whole or not at all.

    Args:
        examined: The day.
        path: The file.
        finished_s: Epoch seconds; None is now.
    """
    registry = CollectorRegistry()
    _counts(registry, examined, time.time() if finished_s is None else finished_s)
    _features(registry, examined)
    _segments(registry, examined)
    _quality(registry, examined)
    write_to_textfile(str(path), registry)


def _counts(registry: CollectorRegistry, examined: Examined, finished_s: float) -> None:
    plain = {
        "finished_seconds": ("When the daily job last finished, epoch seconds.", finished_s),
        "decisions": ("Decisions of the day.", examined.total),
        "decisions_examined": ("Decisions examined.", examined.decisions),
    }
    for name, (meaning, value) in plain.items():
        _gauge(registry, name, meaning, [({}, value)])
    counts = {(severity, kind): 0 for severity in Severity for kind in Kind}
    for finding in examined.findings:
        counts[finding.severity, finding.kind] += 1
    _gauge(
        registry,
        "findings",
        "Findings; severity stop stops a promotion.",
        [({"severity": s.value, "kind": k.value}, count) for (s, k), count in counts.items()],
    )


def _features(registry: CollectorRegistry, examined: Examined) -> None:
    skew = zip(examined.skew["feature"], examined.skew["equal_share"], strict=True)
    _gauge(
        registry,
        "skew_equal_share",
        "Share of served values exactly equal to history's.",
        [({"feature": name}, share) for name, share in skew],
    )
    drift = examined.drift
    whole = drift[drift["segment"] == ALL]
    for name, meaning in {
        "psi": "Population stability index against the bundle's reference.",
        "ks": "Kolmogorov-Smirnov distance to the bundle's reference.",
        "missing": "Share of unknown values.",
    }.items():
        samples = zip(whole["feature"], whole[name], strict=True)
        _gauge(
            registry, f"drift_{name}", meaning, [({"feature": f}, value) for f, value in samples]
        )


def _segments(registry: CollectorRegistry, examined: Examined) -> None:
    ages, feeds, available = examined.ages, examined.feeds, examined.availability
    _gauge(
        registry,
        "age_seconds",
        "Age of served features, by quantile.",
        [
            ({"feature": row.feature, "quantile": quantile}, value)
            for row in tuples(ages[ages["segment"] == ALL])
            for quantile, value in (("0.1", row.freshest), ("0.5", row.median), ("0.95", row.p95))
        ],
    )
    _gauge(
        registry,
        "feed_repeat_share",
        "Share of a feed's readings that repeat the one before.",
        [({"feed": r.feed, "segment": r.segment}, r.repeats) for r in tuples(feeds)],
    )
    _gauge(
        registry,
        "available_share",
        "Share of shown providers that are available.",
        [({"segment": r.segment}, r.available) for r in tuples(available)],
    )
    _gauge(
        registry,
        "excluded_share",
        "Share of all candidates by exclusion; none could be sent.",
        [({"code": str(code)}, share) for code, share in examined.exclusions.items()],
    )


def _quality(registry: CollectorRegistry, examined: Examined) -> None:
    quality = examined.quality
    _gauge(
        registry,
        "calibration_error",
        "Expected calibration error on ripe labels.",
        [({}, quality.error)],
    )
    for name, meaning in {
        "success": "Share of successes by labels as they stood at an age.",
        "brier": "Brier score by labels as they stood at an age.",
        "other_success": "Share of labels whose success at an age is not the final one.",
        "other_grade": "Share of labels whose grade at an age is not the final one.",
        "offers": "Offers with a final label.",
    }.items():
        of_age = zip(quality.ripening["age_h"], quality.ripening[name], strict=True)
        _gauge(
            registry,
            f"label_{name}",
            meaning,
            [({"age_h": f"{a:g}"}, value) for a, value in of_age],
        )


def _gauge(
    registry: CollectorRegistry, name: str, meaning: str, samples: Iterable[tuple[Labels, float]]
) -> None:
    """Add a gauge; what is not known has no sample."""
    known = [(labels, value) for labels, value in samples if math.isfinite(value)]
    if not known:
        return
    gauge = Gauge(f"monitoring_{name}", meaning, list(known[0][0]), registry=registry)
    for labels, value in known:
        (gauge.labels(**labels) if labels else gauge).set(value)
