"""The Fisher-information bound against hand-computed cases, automatic Jacobians and Monte Carlo."""

import math

import pytest
import torch
from torch import nn

from mixcon.bounds import fisher_information_leakage, unbiased_error_bound
from mixcon.channels import GaussianNoise, LaplaceNoise, Normalize
from mixcon.errors import ConfigError
from mixcon.metrics import mse


def linear(weight):
    return lambda x: x @ weight.mT


@pytest.fixture(params=[(5, 3), (3, 5)], ids=["tall", "wide"])
def weight(request):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(*request.param, generator=generator, dtype=torch.float64)


def test_linear_encoder_by_hand(weight):
    x = torch.randn(4, weight.shape[1], dtype=torch.float64)
    expected = weight.square().sum() / 0.3**2 / weight.shape[1]
    got = fisher_information_leakage(linear(weight), x, 0.3)
    torch.testing.assert_close(got, expected.expand(4))
    torch.testing.assert_close(unbiased_error_bound(linear(weight), x, 0.3), 1 / got)
    twice = unbiased_error_bound(linear(weight), x, 0.6)
    torch.testing.assert_close(twice, 4 / got)  # the bound grows with the square of the noise


@pytest.mark.parametrize("cut", [2, 6], ids=["more numbers out than in", "fewer"])
def test_networks_equal_the_jacobian_of_autograd(lenet, cut, monkeypatch):
    network = nn.Sequential(*list(lenet.encoder)[:cut], Normalize()).double().eval()
    x = torch.rand(3, 1, 28, 28, dtype=torch.float64)
    monkeypatch.setattr("mixcon.bounds.fisher._SAMPLES", 2)
    got = fisher_information_leakage(network, x, 0.1)
    for image, value in zip(x, got, strict=True):
        jacobian = torch.autograd.functional.jacobian(network, image[None])
        assert value.item() == pytest.approx((jacobian**2).sum().item() / 0.01 / 784, rel=1e-9)
    assert not got.requires_grad
    estimate = fisher_information_leakage(network, x, 0.1, probes=300)
    torch.testing.assert_close(estimate, got, rtol=0.1, atol=0)


@pytest.mark.parametrize("noise", [GaussianNoise(0.2), LaplaceNoise(0.2)])
def test_no_unbiased_attacker_beats_it(noise):
    """Least squares on a tall linear encoder is unbiased, and the best for Gaussian noise."""
    torch.manual_seed(0)
    weight = torch.randn(40, 8, dtype=torch.float64)
    x = torch.randn(1, 8, dtype=torch.float64)
    amount = 0.2
    bound = unbiased_error_bound(linear(weight), x, amount)
    z = noise(linear(weight)(x.expand(20_000, 8)))
    error = mse(torch.linalg.lstsq(weight, z.mT).solution.mT, x.expand(20_000, 8)).mean()
    assert error > bound
    assert error < 4 * bound


def test_it_is_reached_by_an_orthogonal_encoder():
    torch.manual_seed(0)
    weight = torch.linalg.qr(torch.randn(8, 8, dtype=torch.float64)).Q
    x = torch.randn(1, 8, dtype=torch.float64)
    bound = unbiased_error_bound(linear(weight), x, 0.5)
    z = GaussianNoise(0.5)(linear(weight)(x.expand(100_000, 8)))
    torch.testing.assert_close(bound, torch.full((1,), 0.25, dtype=torch.float64))
    torch.testing.assert_close(
        mse(z @ weight, x.expand(100_000, 8)).mean(), bound[0], rtol=0.02, atol=0
    )


def test_a_biased_attacker_may_beat_it():
    """Why it is a yardstick and not a guarantee: a constant guess near the truth does."""
    x = torch.full((1, 4), 0.5)
    bound = unbiased_error_bound(nn.Identity(), x, 10.0)
    assert mse(torch.full((1, 4), 0.6), x) < bound


def test_without_noise_it_is_vacuous_and_without_information_infinite():
    x = torch.rand(3, 1, 12, 12)
    assert unbiased_error_bound(nn.Flatten(), x, 0).tolist() == [0, 0, 0]
    assert unbiased_error_bound(lambda x: 0 * x + 1, x, 0.1).tolist() == [math.inf] * 3


def test_bad_input():
    x = torch.rand(3, 2)
    for noise in (-0.1, math.inf, math.nan):
        with pytest.raises(ConfigError, match="finite number > 0"):
            unbiased_error_bound(nn.Identity(), x, noise)
    with pytest.raises(ConfigError, match="1 probe"):
        fisher_information_leakage(nn.Identity(), x, 0.1, probes=0)
