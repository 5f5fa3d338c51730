"""Limits of time and memory: what stops between two steps, and how much is worked on at once."""

import math

import pytest
import torch

from mixcon import _cache
from mixcon._clock import each_step, time_limit, time_share
from mixcon._memory import at_once
from mixcon.attacks import Auxiliary, Decoder, GaussNewton, Rmle, WhiteBox
from mixcon.attacks.prototypes import most_alike
from mixcon.metrics import ssim


def test_without_a_limit_every_step_is_taken_and_told():
    told = []
    assert list(each_step(3, told.append)) == [1, 2, 3]
    assert told == [1 / 3, 2 / 3, 1]


def test_the_first_step_is_always_taken_and_the_cut_is_known():
    with time_limit(math.inf) as outer, time_limit(0.0) as inner:
        assert list(each_step(5)) == [1]
        assert list(each_step(1)) == [1]
    assert outer.cut
    assert inner.cut
    with time_limit(math.inf) as whole:
        assert list(each_step(5)) == [1, 2, 3, 4, 5]
    assert not whole.cut
    assert list(each_step(2)) == [1, 2]  # over: nothing is left of the limits


def test_a_share_is_a_part_of_the_time_that_is_left():
    with time_share(0.0):
        assert list(each_step(2)) == [1, 2]  # of no limit
    with time_limit(1e6) as limit, time_share(0.0):
        assert list(each_step(2)) == [1]
    assert limit.cut


@pytest.mark.parametrize("attack", [Rmle(steps=10_000), Decoder(steps=10_000), GaussNewton()])
def test_what_an_attack_has_so_far_counts(attack):
    torch.manual_seed(0)
    x = torch.rand(20, 1, 12, 12)
    knowledge = WhiteBox.of(
        torch.nn.Flatten(),
        shape=(1, 12, 12),
        box=(0.0, 1.0),
        auxiliary=Auxiliary(x, torch.arange(20) % 2),
    )
    with time_limit(0.0) as limit:
        found = attack.fit(knowledge)(x[:3].flatten(1))
    assert limit.cut
    assert found.shape == (3, 1, 12, 12)
    assert found.isfinite().all()


def test_what_time_cut_short_is_not_kept(own_cache):
    def make():
        return {"steps": torch.tensor(list(each_step(4)))}

    with time_limit(0.0):
        assert len(_cache.kept("some", make)["steps"]) == 1
    assert len(_cache.kept("some", make)["steps"]) == 4
    with time_limit(0.0):
        assert len(_cache.kept("some", make)["steps"]) == 4


def test_small_samples_come_as_they_did_and_large_ones_in_parts():
    assert at_once(1000, (1, 28, 28)) == at_once(1000, (3, 32, 32)) == 1000
    assert at_once(1000, (3, 224, 224)) == at_once(1000, (1, 224, 224)) == 27
    assert at_once(1000, (10**9,)) == 1
    assert at_once(5, (6,), (2**20,), numbers=2**21) == 2


def test_large_images_are_searched_coarsely_first():
    """And the answer is nearer to the only sample than where it started."""
    torch.manual_seed(0)
    coarse = torch.rand(2, 1, 10, 10)
    x = torch.nn.functional.interpolate(coarse, (100, 70), mode="bilinear")
    start = torch.full_like(x, 0.5)
    found = most_alike(start, x, torch.tensor([[1], [0]]), torch.ones(2, 1), steps=40)
    assert (ssim(found, x[[1, 0]]) > ssim(start, x[[1, 0]]) + 0.2).all()


def test_the_principal_directions_of_large_inputs_are_those_of_the_covariance(monkeypatch):
    torch.manual_seed(0)
    rows = torch.randn(40, 6) @ torch.diag(torch.tensor([5.0, 3.0, 1.0, 0.3, 0.1, 0.0])) + 2
    own = Auxiliary(rows, torch.zeros(40, dtype=torch.long))
    monkeypatch.setattr("mixcon.attacks.gauss_newton._DENSE", 5)
    monkeypatch.setattr("mixcon.attacks.gauss_newton._DIRECTIONS", 3)
    from mixcon.attacks.gauss_newton import _prior  # noqa: PLC0415

    known = WhiteBox.of(torch.nn.Identity(), shape=(6,), box=(0.0, 1.0), auxiliary=own)
    mean, root = _prior(known)
    rows = known.taught.flatten(1)
    values, vectors = torch.linalg.eigh(torch.cov(rows.mT))
    wanted = (vectors[:, 3:] * values[3:]) @ vectors[:, 3:].mT
    torch.testing.assert_close(mean, rows.mean(0))
    torch.testing.assert_close(root @ root.mT, wanted, rtol=1e-2, atol=1e-2)
