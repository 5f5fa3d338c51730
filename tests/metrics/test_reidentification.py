"""Re-identification against plain loops and known cases."""

import numpy as np
import pytest
import torch

from mixcon.errors import ConfigError
from mixcon.metrics import reidentify


def residual(image, mean):
    """What least squares leaves of an image after a constant and the mean image."""
    design = np.stack([np.ones(mean.size), mean], 1)
    return image - design @ np.linalg.lstsq(design, image, rcond=None)[0]


def error(a, b, candidates):
    if a.ndim == 1:
        return ((a - b) ** 2).mean()
    mean = candidates.mean(0).reshape(-1)
    a, b = residual(a.reshape(-1), mean), residual(b.reshape(-1), mean)
    return -(a @ b) / np.sqrt((a @ a) * (b @ b))


@pytest.mark.parametrize("shape", [(6,), (2, 3, 4)])
def test_equals_plain_loops(shape, monkeypatch):
    generator = torch.Generator().manual_seed(0)
    original, candidates = (torch.rand(n, *shape, generator=generator) for n in (9, 40))
    noise = torch.randn(9, *shape, generator=generator)
    reconstruction = 0.4 * original + 0.3 * noise
    monkeypatch.setattr("mixcon.metrics.reidentification._CHUNK", 7)
    got = reidentify(reconstruction, original, candidates)
    r, o, c = (x.double().numpy() for x in (reconstruction, original, candidates))
    for i in range(9):
        own = error(r[i], o[i], c)
        nearer = sum(error(r[i], other, c) <= own for other in c)
        assert got.rank[i] == 1 + nearer
        assert got.hit[i] == (nearer == 0)
    assert len(got.rank.unique()) > 2
    assert (got.count, got.chance) == (41, 1 / 41)


def test_brightness_contrast_and_a_pull_to_the_mean_hide_nobody(victims, meter):
    x, mean = victims[0], meter.candidates.mean(0)
    for disguise in (0.5 + 0.05 * x, 0.3 * x, 0.95 * mean + 0.05 * x):
        assert reidentify(disguise, x, meter.candidates).hit.mean() > 0.95
    assert reidentify(mean.expand_as(x), x, meter.candidates).hit.mean() < 0.05


def test_exact_copies_hit_and_blind_guesses_score_chance(victims, meter):
    x = victims[0]
    assert reidentify(x, x, meter.candidates).hit.all()
    generator = torch.Generator().manual_seed(0)
    original, candidates = torch.rand(4000, 6, generator=generator), torch.rand(19, 6)
    blind = reidentify(torch.rand(4000, 6, generator=generator), original, candidates)
    assert blind.chance == 0.05
    assert blind.hit.mean().item() == pytest.approx(0.05, abs=0.02)


def test_what_tells_nothing_apart_is_no_hit():
    x = torch.rand(5, 3)
    same = reidentify(torch.zeros(5, 3), x, x.repeat(3, 1))
    assert not same.hit.any()
    assert (same.rank > 1).all()


def test_bad_input():
    x = torch.rand(4, 3)
    with pytest.raises(ConfigError, match="candidates like the originals"):
        reidentify(x, x, torch.rand(2, 4))
    with pytest.raises(ConfigError, match="like the originals"):
        reidentify(x[:2], x, x)
    with pytest.raises(ConfigError, match="got none"):
        reidentify(x, x, x[:0])
