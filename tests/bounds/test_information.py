"""Bounds in bits, against brute force and cases solved by hand."""

import itertools
import math

import pytest
import torch
from scipy import integrate
from torch import nn

from mixcon.audit.bits import certified_bits
from mixcon.bounds import (
    bounded_gaussian_leakage,
    flipped_bits_capacity,
    flipped_bits_leakage,
    guess_by_information,
    guess_by_leakage,
    laplace_box_leakage,
    laplace_capacity,
    mutual_information_bound,
    noisy_sphere_capacity,
    noisy_sphere_leakage,
    word_leakage,
)
from mixcon.defenses import DefenseConfig
from mixcon.errors import ConfigError
from mixcon.split import Sizes, SplitModel


def leakage(channel):
    """log2 of the sum over z of max over x of P(z | x), from the whole table (x, z)."""
    return math.log2(channel.amax(0).sum())


@pytest.mark.parametrize(("bits", "flip"), [(1, 0.0), (3, 0.1), (4, 0.5)])
def test_flipped_bits_by_enumeration(bits, flip):
    words = torch.tensor(list(itertools.product((0, 1), repeat=bits)))
    distance = (words[:, None] != words[None]).sum(2)
    table = flip**distance * (1 - flip) ** (bits - distance)
    assert flipped_bits_leakage(bits, flip) == pytest.approx(leakage(table.double()))


def test_repeats_of_a_flipped_bit_by_enumeration():
    flip, repeats = 0.2, 3
    seen = torch.tensor(list(itertools.product((0, 1), repeat=repeats)))
    rows = [torch.where(seen == bit, 1 - flip, flip).double().prod(1) for bit in (0, 1)]
    assert flipped_bits_leakage(2, flip, repeats) == pytest.approx(2 * leakage(torch.stack(rows)))
    assert flipped_bits_leakage(5, flip, 10**3) == pytest.approx(5)  # averaged, nothing is hidden


def test_words():
    assert word_leakage(1024) == 10
    with pytest.raises(ConfigError, match="1 word or more"):
        word_leakage(0)


def test_one_noisy_number_of_either_sign_by_integration():
    """On the sphere of dimension one there are two points, -1 and 1."""
    sigma = 0.7

    def largest(z):
        return math.exp(-((abs(z) - 1) ** 2) / (2 * sigma**2)) / math.sqrt(2 * math.pi) / sigma

    expected = math.log2(integrate.quad(largest, -20, 20, points=[-1, 0, 1])[0])
    assert noisy_sphere_leakage(1, sigma) == pytest.approx(expected, abs=1e-5)


def test_two_noisy_numbers_by_integration_over_the_plane():
    sigma = 0.3

    def largest(y, x):
        return math.exp(-((math.hypot(x, y) - 1) ** 2) / (2 * sigma**2)) / (2 * math.pi * sigma**2)

    expected = math.log2(integrate.dblquad(largest, -4, 4, -4, 4, epsabs=1e-6)[0])
    assert noisy_sphere_leakage(2, sigma) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("numbers", "sigma", "bits"),
    [(10, 0.13, 20.0), (10, 0.2, 15.3), (4, 0.15, 8.6), (400, 0.05, 454)],
)
def test_leakage_of_spheres_in_many_dimensions(numbers, sigma, bits):
    """Figures worked out independently, by another program."""
    assert noisy_sphere_leakage(numbers, sigma) == pytest.approx(bits, rel=5e-3)


def test_leakage_grows_with_repeats_and_is_infinite_without_noise():
    once, often = (noisy_sphere_leakage(10, 0.13, k) for k in (1, 4))
    assert often == noisy_sphere_leakage(10, 0.065) > once
    assert noisy_sphere_leakage(10, 0) == laplace_box_leakage(10, 0) == math.inf


def test_a_laplace_number_by_integration():
    scale, reach = 0.4, 1.0

    def largest(z):
        return math.exp(-max(0.0, abs(z) - reach) / scale) / (2 * scale)

    expected = math.log2(integrate.quad(largest, -20, 20, points=[-1, 1])[0])
    assert laplace_box_leakage(3, scale, reach) == pytest.approx(3 * expected, abs=1e-6)


def test_capacities():
    assert noisy_sphere_capacity(10, 0.13) == pytest.approx(14.0, abs=0.05)
    assert noisy_sphere_capacity(400, 0.05) == pytest.approx(200)
    assert flipped_bits_capacity(3, 0.5) == pytest.approx(0)
    assert flipped_bits_capacity(3, 0.11) == pytest.approx(1.5, abs=2e-3)
    # Both lie above what the other kind of noise of the same power leaves, and below no noise.
    assert 0 < laplace_capacity(10, 0.1) < laplace_capacity(10, 0.01)


def test_mutual_information_of_two_points_is_bounded_and_nearly_met():
    """Two classes at -1 and 1: the label is all there is, one bit."""
    labels = torch.arange(40_000) % 2
    points = (2.0 * labels - 1)[:, None]
    bound = mutual_information_bound(points, labels, 0.2)
    assert 1 <= bound < 1.05


def test_mutual_information_of_a_gaussian_by_its_closed_form():
    generator = torch.Generator().manual_seed(0)
    spread, sigma = torch.tensor([0.2, 0.1, 0.05]), 0.1
    rows = spread * torch.randn(60_000, 3, generator=generator)
    rows = rows[rows.norm(dim=1) <= 1]
    exact = 0.5 * torch.log2(1 + (spread / sigma) ** 2).sum().item()
    bound = mutual_information_bound(rows, torch.zeros(len(rows), dtype=torch.long), sigma)
    assert exact - 0.02 < bound < exact + 0.1


def test_the_certificate_holds_where_samples_are_few():
    generator = torch.Generator().manual_seed(0)
    rows = 0.2 * torch.randn(200, 5, generator=generator)
    rows = rows / rows.norm(dim=1, keepdim=True).clamp_min(1)
    few = mutual_information_bound(rows, torch.zeros(200, dtype=torch.long), 0.2)
    assert few > 0.5 * 5 * math.log2(2)  # the closed form of what they were drawn from
    assert mutual_information_bound(rows[:3], torch.zeros(3, dtype=torch.long), 0.2) == math.inf


def test_long_representations_are_refused():
    with pytest.raises(ConfigError, match="norm 1 or less"):
        mutual_information_bound(torch.full((9, 4), 2.0), torch.zeros(9, dtype=torch.long), 0.1)


def test_identification():
    assert guess_by_leakage(6, 1000) == pytest.approx(64 / 1000)
    assert guess_by_leakage(20, 1000) == 1
    assert guess_by_information(0, 1000) == pytest.approx(1 / 1000, rel=1e-3)
    assert guess_by_information(20, 1000) == 1
    # A bit about one of two: it is named for sure, and half a bit leaves 11 % of errors.
    assert guess_by_information(0.5, 2) == pytest.approx(0.89, abs=2e-3)


@pytest.mark.parametrize("sharpness", [0.1, 1.0, 5.0])
def test_no_reader_of_an_attribute_exceeds_its_information(sharpness):
    """Against whole tables of an attribute, far from equally likely, and what is seen of it."""
    generator = torch.Generator().manual_seed(0)
    for values in (2, 3, 6):
        joint = (sharpness * torch.randn(values, 8, generator=generator).double()).exp()
        joint[0] *= 4
        joint /= joint.sum()
        prior, seen = joint.sum(1), joint.sum(0)
        entropy = -(prior * prior.log2()).sum().item()
        information = (joint * (joint / prior[:, None] / seen).log2()).sum().item()
        bound = guess_by_information(information, values, entropy)
        assert joint.amax(0).sum() <= bound + 1e-9
        assert bound < 1
    assert guess_by_information(0, 3, 0.0) == 1


def test_gaussian_numbers_within_limits_by_brute_force():
    """The integral of the largest density, over means and deviations on a grid."""
    z = torch.linspace(-12, 12, 24_001, dtype=torch.float64)
    off = (z.abs() - 3).clamp_min(0)[:, None]  # from the nearest mean
    deviation = torch.linspace(0.1, 1, 400, dtype=torch.float64)
    density = torch.exp(-((off / deviation) ** 2) / 2) / (deviation * math.sqrt(2 * math.pi))
    integral = torch.trapezoid(density.amax(1), z).item()
    assert bounded_gaussian_leakage(1, 3, 0.1) == pytest.approx(math.log2(integral), rel=1e-4)
    assert bounded_gaussian_leakage(8, 3, 0.1) == 8 * bounded_gaussian_leakage(1, 3, 0.1)


def test_the_bottleneck_is_bounded_by_what_it_says_of_itself():
    sizes = Sizes((6,), (6,), 3)
    bottleneck = DefenseConfig.parse("vib(weight=0.1, n=4)").build(sizes).channels[0]
    model = SplitModel(nn.Identity(), nn.Linear(4, 3), bottleneck)
    leakage, capacity = certified_bits(model, (6,))
    assert leakage == capacity == bottleneck.leakage_limit < bottleneck.rate_limit
    assert certified_bits(model, (6,), repeats=3) == (3 * leakage, 3 * capacity)
    assert bottleneck.rates(100 * torch.randn(50, 6)).max() <= bottleneck.rate_limit
