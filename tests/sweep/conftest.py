"""A tiny sweep on real digits, and a pool that runs it in the test's own process."""

import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from mixcon.attacks import ATTACKS, RmlePaper
from mixcon.data import SOURCES, Splits
from mixcon.sweep import JobProgress, Outcome, Space, Sweep, SweepConfig, SweepProgress, sweep
from mixcon.sweep.job import attempt
from mixcon.sweep.judgments import CheapRmle
from mixcon.training import TrainConfig


class Here:
    """One job at a time, run when it is waited for; half of the others is done, they say."""

    def __init__(self, attempt=attempt):
        self.jobs, self.ran, self.attempt = [], [], attempt

    @property
    def running(self):
        return len(self.jobs)

    @property
    def free(self):
        return 2 - self.running

    @property
    def progress(self):
        return [JobProgress("training", 0.5) for _ in self.jobs]

    def submit(self, job):
        assert self.free
        self.jobs.append(job)

    def wait(self, seconds):
        job = self.jobs.pop(0)
        self.ran.append((job.name, job.stage))
        return [Outcome(job, self.attempt(job))]

    def close(self):
        self.jobs.clear()


@dataclass(frozen=True)
class Finished:
    """A sweep that is done: its folder, what it found, the jobs it ran, and what it told."""

    folder: Path
    found: Sweep
    ran: list[tuple[str, str]]
    told: list[SweepProgress]


@pytest.fixture(scope="session")
def here():
    return Here


@pytest.fixture(scope="module")
def small(digits):
    """Sweeps in this process see 400 digits to train on, 40 to test on, quick attacks."""
    part = Splits(digits.train.take(slice(400)), digits.test.take(slice(40)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mixcon.sweep.run.CHEAP", (CheapRmle(steps=10),))
        patch.setitem(ATTACKS, "rmle-paper", partial(RmlePaper, steps=20))
        patch.setitem(SOURCES, "digits", lambda data_dir, seed: part)
        yield part


@pytest.fixture(scope="session")
def tiny():
    """A sweep of 2 x 2 trials that lasts seconds."""

    def make(epochs=3, **changes):
        base = TrainConfig(
            data="digits",
            network="lenet5",
            epochs=epochs,
            batch_size=10,
            optimizer="sgd",
            schedule="constant",
            momentum=0.9,
            lr=0.02,
            holdout=0.2,
        )
        space = Space(defenses=("mixcon(weight=[0.1, 1], beta=[1e-2, 1e-4])",))
        settings = {"sampler": "grid", "attacks": ("rmle-paper",), "victims": 3, "space": space}
        return SweepConfig(base=base, **{**settings, **changes})

    return make


@pytest.fixture(scope="module")
def finished(tmp_path_factory, small, here, tiny):
    """The grid, done once for all tests that only look at it."""
    folder, pool, told = tmp_path_factory.mktemp("finished") / "s", here(), []
    found = sweep(tiny(), folder, pool, on_progress=told.append)
    return Finished(folder, found, pool.ran, told)


@pytest.fixture
def copied(finished, tmp_path):
    """A copy of its folder, for a test that goes on with it."""
    return shutil.copytree(finished.folder, tmp_path / "s")
