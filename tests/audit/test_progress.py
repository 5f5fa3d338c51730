"""Progress: one share of all the work, from a plan, and no phase that works without a word."""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import nn

from mixcon.attacks import Decoder, Rmle, RmlePaper
from mixcon.audit import Subject, run_audit
from mixcon.audit.costs import Costs
from mixcon.audit.plan import AuditPlan, Work
from mixcon.audit.progress import Phases
from mixcon.channels import GaussianNoise
from mixcon.data import Splits
from mixcon.split import SplitModel


def smaller(part):
    return replace(part, inputs=part.inputs[..., ::2, ::2])


@pytest.fixture
def seen(few_digits, own_cache):
    """What a thorough audit of two small models, one with noise, tells about itself."""
    told = []
    encoder, head = nn.Conv2d(1, 2, 3, stride=2), nn.Sequential(nn.Flatten(), nn.Linear(72, 10))
    plain, noisy = SplitModel(encoder, head), SplitModel(encoder, head, GaussianNoise(0.1))
    run_audit(
        [Subject(plain, name="plain"), Subject(noisy, name="noisy")],
        Splits(smaller(few_digits.train), smaller(few_digits.test)),
        [RmlePaper(steps=4), Rmle(steps=4), Decoder(steps=4)],
        victims=20,
        thorough=True,
        on_progress=told.append,
    )
    return told


def test_every_phase_reports_at_its_start_and_work_at_every_step(seen):
    assert all(a.done <= b.done for a, b in pairwise(seen))
    assert seen[-1].done == 1
    assert max(b.done - a.done for a, b in pairwise(seen)) < 0.1
    shares = {}
    for progress in seen:
        shares.setdefault((progress.model, progress.phase), []).append(progress.share)
    assert all(told[0] == 0 for told in shares.values())
    assert len(shares["", "recognizer"]) == 1 + 600
    for model in ("plain", "noisy"):
        assert len(shares[model, "rmle-paper"]) >= 1 + 4
        assert len(shares[model, "rmle"]) >= 1 + 4 + 4 * len(Rmle(steps=4).candidates())
        assert len(shares[model, "decoder"]) >= 1 + 4
        assert len(shares[model, "label leakage"]) == 1 + 600
        assert len(shares[model, "masking"]) >= 1 + 4 + 1 + 4
        for phase in ("accuracy", "floors"):
            assert len(shares[model, phase]) >= 2
    assert len(shares["noisy", "bound"]) == 1 + 2


def plan(attacks, thorough=True):
    told = []
    work = Work(("m",), (1, 28, 28), 1000, 100, 10, 32, thorough=thorough, judged=False)
    phases = Phases(AuditPlan(work, tuple(attacks), 100, Costs()).weights, told.append)
    for attack in attacks:
        phases.begin("m", attack.name)(1.0)
    return told[-1].done


def test_the_plan_weighs_an_attack_by_its_steps():
    """Cut to a hundredth of its steps, the slow attack is a smaller part of the whole."""
    whole, short = (plan([RmlePaper(), Decoder().scaled(budget)]) for budget in (1.0, 0.01))
    assert short < whole < 1
    assert plan([Rmle()], thorough=False) > plan([Rmle()])


def test_a_model_that_is_slow_to_ask_is_heard_of_all_the_same(few_digits):
    """Each pass of the whole test set, or of the attacker's samples, comes in parts."""
    calls, told = [], []

    class Slow(nn.Flatten):
        def forward(self, x):
            calls.append(len(told))
            return super().forward(x)

    torch.manual_seed(0)
    model = SplitModel(Slow(), nn.Linear(784, 10))
    run_audit([Subject(model)], few_digits, [], victims=5, on_progress=told.append)
    assert told[-1].done == 1
    assert len(set(calls)) > 1


def test_the_preparation_reports_in_steps(lenet, few_digits):
    told = []
    run_audit([Subject(lenet)], few_digits, [], victims=5, on_progress=told.append)
    prepared = [progress for progress in told if progress.phase == "preparation"]
    assert [progress.share for progress in prepared] == [0, 1 / 3, 2 / 3, 1]
    assert prepared == told[:4]  # before anything else, and each step moves the whole
    assert all(a.done < b.done for a, b in pairwise(prepared))
