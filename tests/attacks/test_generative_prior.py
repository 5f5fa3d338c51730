"""A generator as prior: against the exact posterior, and what its training depends on."""

import torch
from torch import nn

from mixcon.attacks import Auxiliary, GenerativePrior, Posterior, WhiteBox
from mixcon.attacks._autoencoder import fit_autoencoder
from mixcon.channels import GaussianNoise
from mixcon.metrics import ssim


def still(_):
    pass


def test_it_nears_the_exact_answer():
    """Normal inputs, a linear device and normal noise: the posterior mean is known."""
    torch.manual_seed(0)
    sigma = 0.1
    mixing, device = torch.randn(12, 4), nn.Linear(12, 6, bias=False).requires_grad_(False)
    root = torch.cat([mixing, 0.2 * torch.eye(12)], 1)
    x = torch.randn(4100, 16) @ root.mT
    x, own = x[:100], Auxiliary(x[100:], torch.zeros(4000).long())
    knowledge = WhiteBox.of(device, GaussianNoise(sigma), shape=(12,), auxiliary=own)
    z = knowledge.query(x)
    covariance, w = root @ root.mT, device.weight
    gain = covariance @ w.mT @ (w @ covariance @ w.mT + sigma**2 * torch.eye(6)).inverse()
    least = (z @ gain.mT - x).square().mean()
    found, other = (
        (attack.fit(knowledge)(z) - x).square().mean()
        for attack in (GenerativePrior(prior_steps=600), Posterior())
    )
    assert least < found < 1.5 * least
    assert found < other  # the attacker's samples, as they are


def test_the_generator_knows_digits_and_is_the_same_out_of_the_cache(digits, own_cache):
    images = digits.train.floats(slice(1000))
    state = torch.get_rng_state()
    first = fit_autoencoder(images, (0.0, 1.0), 150, still)
    again = fit_autoencoder(images, (0.0, 1.0), 150, still)
    assert torch.equal(torch.get_rng_state(), state)  # no attack after it draws other numbers
    assert len(list(own_cache.iterdir())) == 1
    assert all(
        torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True)
    )
    fresh = digits.test.floats(slice(100))
    found = ssim(first(first.codes(fresh)[0]), fresh).mean()
    assert found > ssim(images.mean(0).expand_as(fresh), fresh).mean() + 0.2
