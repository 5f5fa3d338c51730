"""The mixed load of the benchmark, short: honest clients get right answers through all of it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_mixed_load_with_kills(plain_export, trust, tmp_path):
    (tmp_path / "cloud").symlink_to(plain_export.folder / "cloud")
    (tmp_path / "public-key.pem").symlink_to(trust)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.serving_faults", tmp_path,
         "--seconds", "8", "--kill-every", "3"],
        capture_output=True, text=True, cwd=ROOT, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "answered rightly" in done.stdout
    assert "| wrong answers | 0 |" in done.stdout
    assert "honest: connection lost" in done.stdout  # by the kills
    assert "garbage: 400" in done.stdout
