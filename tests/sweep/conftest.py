"""A tiny sweep on real digits, and a pool that runs it in the test's own process."""

from functools import partial

import pytest

from mixcon.attacks import ATTACKS, RmlePaper
from mixcon.data import SOURCES, Splits
from mixcon.sweep import Outcome, Space, SweepConfig
from mixcon.sweep.job import attempt
from mixcon.sweep.judgments import CheapRmle
from mixcon.training import TrainConfig


class Here:
    """One job at a time, run when it is waited for."""

    def __init__(self, attempt=attempt):
        self.jobs, self.ran, self.attempt = [], [], attempt

    @property
    def running(self):
        return len(self.jobs)

    @property
    def free(self):
        return 2 - self.running

    def submit(self, job):
        assert self.free
        self.jobs.append(job)

    def wait(self, seconds):
        job = self.jobs.pop(0)
        self.ran.append((job.name, job.stage))
        return [Outcome(job, self.attempt(job))]

    def close(self):
        self.jobs.clear()


@pytest.fixture
def here():
    return Here


@pytest.fixture
def small(monkeypatch, digits):
    """Sweeps in this process see 400 digits to train on, 40 to test on, quick attacks."""
    monkeypatch.setattr("mixcon.sweep.run.CHEAP", (CheapRmle(steps=10),))
    monkeypatch.setitem(ATTACKS, "rmle-paper", partial(RmlePaper, steps=20))
    part = Splits(digits.train.take(slice(400)), digits.test.take(slice(40)))
    monkeypatch.setitem(SOURCES, "digits", lambda data_dir, seed: part)
    return part


@pytest.fixture
def tiny():
    """A sweep of 2 x 2 trials that lasts seconds."""

    def make(**changes):
        base = TrainConfig(
            data="digits",
            network="lenet5",
            epochs=3,
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
