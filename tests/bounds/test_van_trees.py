"""Van Trees' inequality against Gaussian cases whose exact error is known."""

import math

import pytest
import torch
from torch import nn

from mixcon.bounds import bayes_error_bound, neighborhood_error_bound
from mixcon.bounds.van_trees import _cosine_squared
from mixcon.errors import ConfigError

SIGMA, DEVIATION = 0.3, 2.0


def exact(weight):
    """The mean squared error of the posterior mean: nobody does better. All is Gaussian."""
    size = weight.shape[1]
    information = weight.mT @ weight / SIGMA**2 + torch.eye(size).to(weight) / DEVIATION**2
    return torch.linalg.inv(information).trace().item() / size


def bound(weight):
    x = DEVIATION * torch.randn(5, weight.shape[1], dtype=torch.float64)
    return bayes_error_bound(lambda x: x @ weight.mT, x, SIGMA, 1 / DEVIATION**2)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5)], ids=["tall", "wide"])
def test_it_lies_below_the_exact_posterior_error(shape):
    torch.manual_seed(0)
    weight = torch.randn(*shape, dtype=torch.float64)
    per_number = weight.square().sum().item() / SIGMA**2 / shape[1]
    assert bound(weight) == pytest.approx(1 / (per_number + 1 / DEVIATION**2))
    assert 0 < bound(weight) <= exact(weight)


def test_it_is_reached_by_an_orthogonal_encoder_and_without_information_by_the_prior():
    torch.manual_seed(0)
    rotation = torch.linalg.qr(torch.randn(6, 6, dtype=torch.float64)).Q
    assert bound(rotation) == pytest.approx(exact(rotation))
    assert bound(0 * rotation) == pytest.approx(DEVIATION**2)


def test_moved_inputs_have_the_density_and_the_information_that_it_says():
    draws = _cosine_squared(torch.empty(200_000, dtype=torch.float64))
    assert draws.abs().max() <= 1
    assert draws.mean().item() == pytest.approx(0, abs=0.01)
    assert draws.var().item() == pytest.approx(1 / 3 - 2 / math.pi**2, rel=0.02)
    assert (draws < 0.5).double().mean().item() == pytest.approx(0.75 + 0.5 / math.pi, abs=0.01)
    at = torch.linspace(-1, 1, 100_001, dtype=torch.float64)
    slope = torch.gradient(torch.cos(math.pi * at / 2).square(), spacing=(at,))[0]
    information = slope.square() / torch.cos(math.pi * at / 2).square().clamp_min(1e-12)
    assert torch.trapezoid(information, at).item() == pytest.approx(math.pi**2, rel=1e-2)


def test_no_attacker_errs_less_around_an_input_though_it_knows_it():
    """The posterior mean of one number by brute force, and a constant guess, which is biased."""
    x, reach = torch.full((4000, 1), 0.5, dtype=torch.float64), 0.25
    for noise in (0.02, 0.1, 10.0):
        least = neighborhood_error_bound(nn.Identity(), x, noise, box=(0, 1), reach=reach)
        grid = torch.linspace(-1, 1, 801, dtype=torch.float64)
        prior = torch.cos(math.pi * grid / 2).square()
        truth = 0.5 + reach * _cosine_squared(x)
        z = truth + noise * torch.randn_like(truth)
        likely = torch.exp(-((z - 0.5 - reach * grid) ** 2) / (2 * noise**2)) * prior
        guess = 0.5 + reach * (likely * grid).sum(1, keepdim=True) / likely.sum(1, keepdim=True)
        error = (guess - truth).square().mean().item()
        assert 0 < least < 1.05 * error
    assert least > 0.7 * error  # without information it is the least variance for its reach


def test_at_the_edge_of_the_box_it_stays_inside():
    seen = []

    def represent(x):
        seen.append(x)
        return x

    neighborhood_error_bound(represent, torch.tensor([[0.0, 1.0]] * 50), 0.1, box=(0, 1))
    assert all(((x >= 0) & (x <= 1)).all() for x in seen)


def test_where_it_says_nothing_and_bad_input():
    x = torch.rand(3, 2)
    assert bayes_error_bound(nn.Identity(), x, 0, 1.0) == 0
    for wrong in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(ConfigError, match="finite number > 0"):
            bayes_error_bound(nn.Identity(), x, 0.1, wrong)
    with pytest.raises(ConfigError, match="reach"):
        neighborhood_error_bound(nn.Identity(), x, 0.1, box=(0, 1), reach=0.6)
