"""Re-identification against plain loops and known cases."""

import pytest
import torch

from mixcon.errors import ConfigError
from mixcon.metrics import reidentify


def test_equals_plain_loops(monkeypatch):
    generator = torch.Generator().manual_seed(0)
    original, candidates = torch.rand(9, 2, 3, generator=generator), torch.rand(40, 2, 3)
    reconstruction = original + 0.3 * torch.randn(9, 2, 3, generator=generator)
    monkeypatch.setattr("mixcon.metrics.reidentification._CHUNK", 7)
    got = reidentify(reconstruction, original, candidates)
    for i in range(9):
        error = (reconstruction[i] - original[i]).square().mean()
        nearer = sum((reconstruction[i] - c).square().mean() <= error for c in candidates)
        assert got.rank[i] == 1 + nearer
        assert got.hit[i] == (nearer == 0)
    assert 0 < got.hit.sum() < 9
    assert (got.count, got.chance) == (41, 1 / 41)


def test_exact_copies_hit_and_blind_guesses_score_chance(victims, judge):
    x = victims[0]
    assert reidentify(x, x, judge.candidates).hit.all()
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
    with pytest.raises(ConfigError, match="candidates like the originals"):
        reidentify(x[:2], x, x)
    with pytest.raises(ConfigError, match="got none"):
        reidentify(x, x, x[:0])
