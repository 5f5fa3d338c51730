"""Real processes, killed: the sweep resumes, its workers end with it, and one is replaced."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mixcon.attacks import Rmle
from mixcon.sweep import Job, LocalPool, SweepFolder
from mixcon.training import TrainConfig

COMMAND = [
    sys.executable, "-m", "mixcon", "sweep", "--data", "digits", "--epochs", "2", "--lr", "0.05",
    "--defense", "mixcon", "--lam", "0.01,0.1", "--beta", "1e-2,1e-4", "--momentum", "0.9",
    "--batch-size", "16", "--attack", "rmle-paper", "--victims", "2", "--workers", "2",
    "--accelerator", "cpu",
]  # fmt: skip


def start(folder):
    return subprocess.Popen(
        [*COMMAND, "--out", str(folder)], stderr=subprocess.PIPE, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def judgments(folder):
    """Every judgment so far: file to content and time of writing."""
    return {
        path: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.glob("trials/*/*.json")
        if path.name != "versions.json"
    }


_STATES = """
    SELECT state FROM trials WHERE state != 'FAIL' OR trial_id IN
    (SELECT trial_id FROM trial_user_attributes WHERE key = 'config') ORDER BY trial_id
"""


def states(folder):
    """The state of every trial but of those killed before they were drawn: they are drawn anew."""
    with sqlite3.connect(folder / "study.db") as db:
        return [state for (state,) in db.execute(_STATES)]


@pytest.mark.smoke
def test_killed_sweep_resumes_without_loss_or_repetition(tmp_path):
    folder, before = tmp_path / "s", {}
    for count in (2, 4):
        process = start(folder)
        while len(judgments(folder)) < count:
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        before |= judgments(folder)
        assert "RUNNING" in states(folder) or "WAITING" in states(folder)
    process = start(folder)
    _, shown = process.communicate(timeout=300)
    assert process.returncode == 0, shown
    after = judgments(folder)
    assert {path: after[path] for path in before} == before
    assert states(folder) == ["COMPLETE"] * 5  # none lost, none run twice, none still running
    assert len(list(folder.glob("trials/*"))) == 5
    assert len(list(folder.glob("trials/*/cheap.json"))) == 5
    assert list(folder.glob("trials/*/test.json"))
    assert (folder / "chosen.toml").is_file()
    assert SweepFolder(folder).config.base.holdout == 0.1


@pytest.mark.smoke
def test_ctrl_c_ends_cleanly(tmp_path):
    process = start(tmp_path / "s")
    while not list(tmp_path.glob("s/trials/*/config.toml")):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, shown = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Run the same command again to go on" in shown
    assert "Traceback" not in shown


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
        (outcome,) = pool.wait(60)
        assert outcome.reason.startswith("its worker process was killed by SIGKILL")
        pool.submit(job(tmp_path / "b", epochs=1))
        (outcome,) = pool.wait(120)
        assert outcome.reason is None
        assert (tmp_path / "b" / "cheap.json").is_file()
    finally:
        pool.close()
