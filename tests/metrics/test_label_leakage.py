"""Label leakage: a probe on representations that tell the label, and on some that do not."""

import pytest
import torch

from mixcon.errors import ConfigError
from mixcon.metrics import label_leakage


def test_pixels_tell_the_label_and_noise_does_not(half_digits, victims):
    x, y = half_digits
    seen, truth = victims
    read = label_leakage(x, y, seen, truth, 10, steps=200)
    assert read.shape == truth.shape
    assert set(read.tolist()) <= {0.0, 1.0}
    assert read.mean() > 0.9
    generator = torch.Generator().manual_seed(0)
    noise = [torch.randn(len(part), 20, generator=generator) for part in (x, seen)]
    assert label_leakage(noise[0], y, noise[1], truth, 10, steps=200).mean() < 0.25


def test_scale_and_constant_numbers_do_not_matter(half_digits, victims):
    x, y = half_digits
    seen, truth = victims
    tiny = [1e-6 * part.flatten(1) + 3e-6 for part in (x, seen)]
    assert label_leakage(tiny[0], y, tiny[1], truth, 10, steps=200).mean() > 0.9


def test_the_seed_fixes_it(half_digits, victims):
    x, y = half_digits
    args = (x, y, *victims, 10)
    torch.manual_seed(1)
    first = label_leakage(*args, steps=5, seed=1)
    torch.manual_seed(2)
    assert torch.equal(label_leakage(*args, steps=5, seed=1), first)
    assert not torch.equal(label_leakage(*args, steps=5, seed=2), first)


def test_bad_input():
    z, y = torch.rand(6, 4), torch.arange(6) % 2
    with pytest.raises(ConfigError, match=r"like the auxiliary.*\(N, 4\)"):
        label_leakage(z, y, z[:, :3], y, 2)
    with pytest.raises(ConfigError, match="from 0 to 1"):
        label_leakage(z, y + 1, z, y, 2)
