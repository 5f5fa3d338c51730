"""Real worker processes: they end with a killed sweep, and one that is killed is replaced."""

import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from mixcon.attacks import Rmle
from mixcon.sweep import Job, LocalPool
from mixcon.training import TrainConfig

POOL = """
import sys, time
from pathlib import Path
from mixcon.sweep import LocalPool
from tests_job import job
if __name__ == "__main__":
    pool = LocalPool(1)
    pool.submit(job(Path(sys.argv[1])))
    print(pool._workers[0].process.pid, flush=True)
    time.sleep(600)
"""


def job(folder, epochs=1000):
    config = TrainConfig(data="digits", network="lenet5", epochs=epochs, holdout=0.1)
    return Job("vanilla-0000", "vanilla", config, "cheap", (Rmle(steps=1),), folder, 2)


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks processes up in /proc")
def test_workers_end_with_a_killed_sweep(tmp_path):
    (tmp_path / "tests_job.py").write_text(Path(__file__).read_text(encoding="utf-8"))
    (tmp_path / "main.py").write_text(POOL)
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / "main.py"), str(tmp_path / "run")],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    worker = int(process.stdout.readline())
    wait_until((tmp_path / "run" / "metrics.jsonl").is_file)
    assert alive(worker)
    process.kill()
    process.communicate()
    wait_until(lambda: not alive(worker), 10)


def test_killed_worker_costs_its_own_job_alone(tmp_path):
    pool = LocalPool(1)
    try:
        pool.submit(job(tmp_path / "a"))
        wait_until((tmp_path / "a" / "metrics.jsonl").is_file)
        os.kill(pool._workers[0].process.pid, signal.SIGKILL)
        outcomes = []
        while not outcomes:
            outcomes = pool.wait(60)
        (outcome,) = outcomes
        assert outcome.reason.startswith("its worker process was killed by SIGKILL")
        pool.submit(job(tmp_path / "b", epochs=1))
        outcomes, told = [], []
        while not outcomes:
            outcomes = pool.wait(60)
            told += pool.progress
        assert outcomes[0].reason is None
        assert pool.progress == []
        assert {"training", "rmle"} <= {progress.what for progress in told}
        assert all(a.share <= b.share for a, b in pairwise(told))
        assert (tmp_path / "b" / "cheap.json").is_file()
    finally:
        pool.close()
