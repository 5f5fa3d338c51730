"""Peak memory of the loss, each size in a process of its own: linear in p and in m.

Linux only: it reads and resets the peak that the kernel keeps.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from benchmarks._progress import report

_PROBE = """
import pathlib, sys, torch
from mixcon import MixConLoss
p, m = map(int, sys.argv[1:])
def peak():
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
MixConLoss()(torch.randn(20, 8, requires_grad=True), torch.arange(20) % 10).backward()
z = torch.randn(10 * p, m, requires_grad=True)
pathlib.Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
before = peak()
MixConLoss(beta=1e-4)(z, torch.arange(10 * p) % 10).backward()
print(peak() - before)
"""


def run() -> Iterator[str]:
    yield f"{'p':>6} {'m':>6} {'z (MiB)':>9} {'above z (MiB)':>14} {'above / z':>10}"
    sizes = ((100, 4096), (200, 4096), (400, 4096), (800, 4096), (200, 8192), (200, 16384))
    for turn, (p, m) in enumerate(sizes):
        report(turn / len(sizes))
        done = subprocess.run(
            [sys.executable, "-c", _PROBE, str(p), str(m)],
            capture_output=True,
            text=True,
            check=True,
        )
        size, above = 10 * p * m * 4 / 2**20, float(done.stdout)
        yield f"{p:>6} {m:>6} {size:>9.1f} {above:>14.1f} {above / size:>10.2f}"
