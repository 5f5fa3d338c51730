"""The recognizer: how well it sees, what it may see, and that a seed fixes it."""

import os

import pytest
import torch
from torch.nn import functional as F

from mixcon.data import load
from mixcon.errors import ConfigError
from mixcon.metrics import recognition, train_recognizer


def test_it_recognizes_digits_and_also_degraded_ones(recognizer, victims):
    x, y = victims
    noisy = (x + 0.4 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    blurred = F.avg_pool2d(x, 5, 1, 2)
    for images in (x, noisy, blurred, 0.5 + (x - 0.5) * 0.3):
        assert recognition(images, y, recognizer).mean() > 0.9


def test_recognition_is_one_answer_an_image(recognizer, victims):
    x, y = victims
    answers = recognition(x, y, recognizer)
    assert answers.shape == (len(x),)
    assert set(answers.tolist()) <= {0.0, 1.0}
    torch.testing.assert_close(recognition(x[5:9], y[5:9], recognizer), answers[5:9])
    assert recognition(x, (y + 1) % 10, recognizer).mean() < 0.1
    assert recognition(torch.full_like(x, 0.5), y, recognizer).mean() < 0.3


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32), (2, 9, 30), (3, 80, 70)])
def test_images_of_any_kind(shape):
    x, y = torch.rand(12, *shape), torch.arange(12) % 3
    recognizer = train_recognizer(x, y, 3, seed=0, steps=2)
    assert recognizer(x).shape == (12, 3)
    assert [len(f) for f in recognizer.features(x)] == [12] * 3


def test_the_seed_fixes_it_and_nothing_else_changes(own_cache, tmp_path, monkeypatch):
    x, y = torch.rand(40, 1, 12, 12), torch.arange(40) % 4
    torch.manual_seed(1)
    state = torch.get_rng_state()
    shares = []
    first = train_recognizer(x, y, 4, seed=3, steps=4, on_step=shares.append)
    assert torch.equal(torch.get_rng_state(), state)
    assert shares == [0.25, 0.5, 0.75, 1.0]
    assert not first.training
    torch.manual_seed(2)
    monkeypatch.setenv("MIXCON_CACHE", str(tmp_path / "another"))  # trained anew
    again, other = (train_recognizer(x, y, 4, seed=s, steps=4) for s in (3, 4))
    assert torch.equal(first(x), again(x))
    assert not torch.equal(first(x), other(x))
    with torch.no_grad():
        torch.testing.assert_close(
            train_recognizer(x, y, 4, seed=3, steps=4)(x), first(x), rtol=0, atol=0
        )


def test_it_is_trained_once_for_the_same_data_seed_and_settings(own_cache):
    x, y = torch.rand(40, 1, 12, 12), torch.arange(40) % 4
    steps = []

    def trained(x=x, y=y, classes=4, seed=0, count=3):
        steps.clear()
        made = train_recognizer(x, y, classes, seed, steps=count, on_step=steps.append)
        assert not made.training
        assert not any(p.requires_grad for p in made.parameters())
        return made(x)

    first = trained()
    assert len(steps) == 3
    assert torch.equal(trained(), first)
    assert not steps
    brighter = x.clone()
    brighter[7, 0, 3, 3] += 1e-3
    for other in ({"seed": 1}, {"count": 2}, {"classes": 5}, {"y": y.flip(0)}, {"x": brighter}):
        trained(**other)
        assert steps, other
    assert len(list(own_cache.iterdir())) == 6


def test_bad_input():
    x, y = torch.rand(6, 1, 12, 12), torch.arange(6) % 3
    for bad, match in (
        ((x[:, :, :5], y, 3), "8 x 8"),
        ((x[:, 0], y, 3), "shape"),
        ((x * 255, y, 3), r"\[0, 1\]"),
        ((x, y[:4], 3), "one label each"),
        ((x[:1], y[:1], 3), "2 or more"),
        ((x, y, 2), "from 0 to 1"),
    ):
        with pytest.raises(ConfigError, match=match):
            train_recognizer(*bad, seed=0)


@pytest.mark.skipif("MIXCON_DATA" not in os.environ, reason="needs real MNIST: set MIXCON_DATA")
def test_it_reads_mnist():
    data = load("mnist")
    recognizer = train_recognizer(data.train.floats(), data.train.labels, 10, seed=0)
    assert recognition(data.test.floats(), data.test.labels, recognizer).mean() >= 0.97
