"""Processor time by part."""

import subprocess
import sys

from benchmarks.streaming.cpu import CpuMeter, used

BURN = "import time\nwhile time.process_time() < 0.6: pass\nprint(flush=True)\ninput()"
PARENT = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BURN!r}])\ninput()"


def test_what_a_parts_children_used_is_counted_and_stays_counted() -> None:
    """A child's time counts for the part that started it, also after the child has ended."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        meter = CpuMeter({"part": process.pid})
        before = meter.read()
        process.stdout.readline()
        burnt = used(before, meter.read())["part"]
        process.stdin.close()
        process.wait()
        after = used(before, meter.read())["part"]
    assert burnt >= 0.5
    assert after >= burnt
