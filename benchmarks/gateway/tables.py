"""What was seen, as lines of tables."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.gateway.load import FAILED, NOBODY, OK, REFUSED, Seen
from benchmarks.streaming.cpu import Parts

Found = dict[str, Any]
LOAD = "load generator"


def summary(rate: float, seen: Seen) -> Found:
    """Return a load in one line."""
    return {
        "asked/s": rate,
        "answered/s": answered(seen) / seen.took_s,
        "p50 ms": quantile(seen, 0.5),
        "p99 ms": quantile(seen, 0.99),
        "p99.9 ms": quantile(seen, 0.999),
        "longest ms": quantile(seen, 1.0),
        "errors": errors(seen),
        "refused": sum(status == REFUSED for status in seen.statuses),
        "nobody": sum(status == NOBODY for status in seen.statuses),
        "generator late p99 ms": float(np.quantile(seen.late_ms, 0.99)),
        "generator cores": seen.cpu_s / seen.took_s,
    }


def turned(lines: Sequence[Found]) -> list[Found]:
    """Return what was seen by name, a column for each line."""
    return [
        {"": name, **{str(number): line[name] for number, line in enumerate(lines, start=1)}}
        for name in lines[0]
    ]


def answered(seen: Seen) -> int:
    """Return how many got a ranking, or the clear answer that nobody may be sent."""
    return sum(status in {OK, NOBODY} for status in seen.statuses)


def errors(seen: Seen) -> int:
    """Return how many got neither an answer nor a refusal."""
    return sum(status not in {OK, NOBODY, REFUSED} for status in seen.statuses)


def quantile(seen: Seen, q: float, statuses: Sequence[int] = (OK, NOBODY)) -> float:
    """Return a quantile of the latency of the requests that ended so, ms; NaN without any."""
    among = of(seen, statuses)
    return float(np.quantile(among, q)) if len(among) else float("nan")


def of(seen: Seen, statuses: Sequence[int]) -> npt.NDArray[np.float64]:
    """Return the latencies of the requests that ended so, ms."""
    ended = np.isin(np.array(seen.statuses), np.array(statuses))
    return np.asarray(np.array(seen.latency_ms)[ended], dtype=np.float64)


def processes(seen: Seen, used: Parts, idle: Parts, idle_s: float) -> list[Found]:
    """Return processor time by process: ms an answer beyond what it takes without load."""
    count = max(answered(seen), 1)
    lines: list[Found] = []
    for part, seconds in used.items():
        without = idle.get(part, 0.0) / idle_s * seen.took_s
        lines.append(_process(part, seconds - without, without, count))
    served = [line for line in lines if line["process"] in {"gateway", "endpoint", "Redis"}]
    total = sum(line["CPU ms a decision"] for line in served)
    lines.append({"process": "gateway + endpoint + Redis", "CPU ms a decision": total, "idle": ""})
    lines.append(_process(LOAD, seen.cpu_s, 0.0, count))
    return lines


def _process(name: str, seconds: float, without: float, count: int) -> Found:
    return {
        "process": name,
        "CPU ms a decision": seconds / count * 1e3,
        "idle": f"{without:.2f} s",
    }


def candidates(seen: Seen) -> list[Found]:
    """Return how many candidates the answers that were read had."""
    return [
        _spread("considered", [look.considered for look in seen.looked]),
        _spread("of them may be sent, and are scored", [look.eligible for look in seen.looked]),
    ]


def _spread(name: str, values: Sequence[int]) -> Found:
    if not values:
        return {"candidates": name, "mean": float("nan"), "p5": 0.0, "p50": 0.0, "p95": 0.0}
    p5, p50, p95 = np.quantile(values, [0.05, 0.5, 0.95]).tolist()
    return {"candidates": name, "mean": float(np.mean(values)), "p5": p5, "p50": p50, "p95": p95}


def stages(seen: Seen) -> list[Found]:
    """Return how long each stage took by the wall, as the answers say."""
    by_stage: dict[str, list[float]] = {}
    for look in seen.looked:
        for stage, elapsed in look.stage_ms.items():
            by_stage.setdefault(stage, []).append(elapsed)
    return [
        {"stage": stage, "mean ms": float(np.mean(ms)), "p99 ms": float(np.quantile(ms, 0.99))}
        for stage, ms in by_stage.items()
    ]


def endings(seen: Seen) -> list[Found]:
    """Return what the requests ended with, and how soon."""
    lines = []
    for status, count in sorted(Counter(seen.statuses).items()):
        ms = of(seen, [status])
        lines.append(
            {
                "ended with": "no answer" if status == FAILED else f"HTTP {status}",
                "requests": count,
                "p50 ms": float(np.quantile(ms, 0.5)),
                "p99 ms": float(np.quantile(ms, 0.99)),
            }
        )
    return lines


def degraded(seen: Seen) -> dict[str, int]:
    """Return how often each rung was named in the answers that were read."""
    return dict(Counter(rung for look in seen.looked for rung in look.degraded))


def growth(samples: Sequence[Found]) -> list[Found]:
    """Return by how much memory grows in a million requests: least squares, after a tenth."""
    after = samples[len(samples) // 10 :]
    asked = [sample["requests"] for sample in after]
    return [
        {
            "process": part,
            "MB a million requests": float(
                np.polyfit(asked, [sample[f"{part} MB"] for sample in after], 1)[0] * 1e6
            ),
        }
        for part in ("gateway", "endpoint")
    ]
