"""The choice among attacks: by more of the attacker's own samples where the first leave it open."""

from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
import torch

from mixcon._clock import time_limit
from mixcon.attacks import Attack, Rmle
from mixcon.attacks.base import Query
from mixcon.attacks.prototypes import most_alike
from mixcon.audit import Subject
from mixcon.audit.choice import contenders, scores_over_all
from mixcon.audit.model_audit import ModelAudit
from mixcon.audit.setup import Setup

LEFT_OUT = ("recognizer",)  # which takes a while


def test_an_attack_three_errors_of_the_difference_behind_is_out():
    """By the difference, sample by sample: how hard samples are to attack does not count."""
    hard = torch.linspace(0, 1, 32)
    wobble = 0.01 * torch.tensor([1.0, -1.0]).repeat(16)
    scores = [hard - 0.1, hard + wobble, hard - 0.001, hard - 0.02 - wobble]
    assert contenders(scores, higher=True) == [1, 2]
    assert contenders([-each for each in scores], higher=False) == [1, 2]


def test_the_same_scores_may_all_be_the_best_and_only_five_are_run():
    assert contenders([torch.ones(32)] * 7, higher=True) == [0, 1, 2, 3, 4]


def test_others_stay_as_far_behind_the_best_as_they_were():
    first = [torch.tensor([0.2, 0.4]), torch.tensor([0.5, 0.7]), torch.tensor([0.5, 0.6])]
    more = {1: torch.tensor([0.1, 0.1]), 2: torch.tensor([0.3, 0.3])}
    assert scores_over_all(first, more) == pytest.approx([0.05, 0.35, 0.425])


@dataclass(frozen=True)
class SameForAll(Attack[Query]):
    """Puts forward the image most like some of the attacker's samples, whatever is released."""

    needs: ClassVar = Query
    needs_auxiliary: ClassVar[bool] = True
    part: ClassVar[slice]

    def _fit(self, knowledge, on_step):
        own = knowledge.auxiliary.inputs[self.part]
        members, weights = torch.arange(len(own))[None], torch.full((1, len(own)), 1 / len(own))
        guess = most_alike(own.mean(0, keepdim=True), own, members, weights, steps=60)
        return lambda z, _: guess.expand(len(z), *guess.shape[1:])


class ByThoseThatScore(SameForAll):
    """Which it must seem best by, and which is worth nothing for others."""

    name = "by-those-that-score"
    part = slice(32)


class ByOthers(SameForAll):
    name = "by-others"
    part = slice(200, 500)


def scored(lenet, setup, keep):
    audited = ModelAudit(Subject(lenet), setup, keep, None, silent)
    measured, _, _ = audited.attacked([ByThoseThatScore(), ByOthers()], tune=False)
    return measured


def test_luck_on_the_first_samples_is_found_out(lenet, digits, tmp_path):
    """The same where reconstructions are kept; by the first ones alone where time is short."""
    setup = Setup.of(digits, 5, 0, meter=None, thorough=True, begin=silent, omitted=LEFT_OUT)
    assert setup.scored == 32
    lucky, other = scored(lenet, replace(setup, omitted=(*LEFT_OUT, "choice")), tmp_path)
    assert lucky.auxiliary["ssim"] > other.auxiliary["ssim"]
    found = scored(lenet, setup, tmp_path)
    assert found[0].auxiliary["ssim"] < found[1].auxiliary["ssim"]
    for before, after in zip((lucky, other), found, strict=True):
        assert before.auxiliary["mse"] == after.auxiliary["mse"]
        assert before.leakage == after.leakage
    assert scored(lenet, setup, tmp_path) == found
    fresh = scored(lenet, setup, None)
    assert [each.auxiliary for each in fresh] == [each.auxiliary for each in found]


def test_what_the_clock_stops_does_not_decide(lenet, digits):
    setup = Setup.of(digits, 5, 0, meter=None, thorough=True, begin=silent, omitted=LEFT_OUT)
    attacks = [Rmle(steps=20), Rmle2(steps=20)]
    audited = ModelAudit(Subject(lenet), setup, None, None, silent)
    first = ModelAudit(
        Subject(lenet), replace(setup, omitted=(*LEFT_OUT, "choice")), None, None, silent
    )
    with time_limit(0.0):
        stopped, _, _ = audited.attacked(attacks, tune=False)
        expected, _, _ = first.attacked(attacks, tune=False)
    assert [each.auxiliary for each in stopped] == [each.auxiliary for each in expected]


class Rmle2(Rmle):
    """The same by another name: neither can be ahead."""

    name = "rmle-2"


def silent(*_):
    return lambda _: None
