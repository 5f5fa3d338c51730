"""Defenses of the literature do what their papers say: what must move moves."""

import pytest
import torch

from mixcon.data import SOURCES
from mixcon.defenses import Batch, DefenseConfig
from mixcon.errors import ConfigError
from mixcon.split import Sizes
from mixcon.training import RunFolder, TrainConfig, train

SIZES = Sizes((1, 28, 28), (16, 5, 5), 10)


@pytest.fixture(autouse=True)
def small(monkeypatch, few_digits):
    monkeypatch.setitem(SOURCES, "digits", lambda data_dir, seed: few_digits)
    torch.manual_seed(0)


def trained(defense, folder, epochs=4):
    chosen = TrainConfig(
        data="digits", network="lenet5", defense=defense, epochs=epochs, batch_size=16,
        schedule="constant",
    )  # fmt: skip
    return train(chosen, folder, accelerator="cpu")


def built(text):
    return DefenseConfig.parse(text).build(SIZES)


def test_shredder_learns_larger_noise(tmp_path):
    model = trained("shredder(weight=1, scale=0.1)", tmp_path)
    (noise,) = model.channel
    assert noise.scale.mean() > 0.104  # it began at 0.1, 28 steps ago
    assert noise.scale.std() > 0  # number by number
    assert noise.noise_scale == noise.scale.min()


def test_shredder_draws_what_it_says():
    (channel,) = built("shredder(scale=0.5, noise=normal)").channels
    z = channel(torch.zeros(4000, 16, 5, 5)).detach()
    assert z.std() == pytest.approx(0.5, rel=0.01)


def test_disco_leaves_channels_out_and_its_adversary_learns(tmp_path):
    model = trained("disco(ratio=0.75, weight=0.1)", tmp_path, epochs=6)
    x = SOURCES["digits"](None, 0).test.floats()
    alive = (model.release(x).flatten(2).abs().amax(2) > 0).sum(1)
    assert alive.max() <= 4  # of 16
    losses = [r["adversaries"]["disco"] for r in RunFolder(tmp_path).read_metrics()[1:]]
    assert losses[-1] < losses[0]


def test_the_rate_of_a_bottleneck_falls_and_bounds_what_it_says(tmp_path):
    free = trained("vib(n=4, weight=0)", tmp_path / "free")
    dear = trained("vib(n=4, weight=1)", tmp_path / "dear")
    x = SOURCES["digits"](None, 0).test.floats()
    rates = [m.channel[0].rates(m.represent(x)).mean() for m in (free, dear)]
    assert rates[1] < 0.5 * rates[0]
    assert rates[0] < free.channel[0].rate_limit


def test_the_bound_of_conditional_entropy_falls():
    """A representation that spreads less within its classes says less, and is known to."""
    defense = built("cem(sigma=0.1)")
    (penalty,) = defense.penalties
    y = torch.arange(200) % 10
    x = torch.rand(200, 1, 28, 28)

    def information(spread):
        for _ in range(60):
            raw = y.view(-1, 1, 1, 1) + spread * torch.randn(200, 16, 5, 5)
            penalty.cost(Batch(x, y, raw, raw))
        return penalty.information()

    wide = information(1.0)
    # 400 numbers of deviation 1 behind noise of 0.1: 200 log2(1 + 100) bits, and the class.
    assert wide == pytest.approx(200 * 6.658 + 3.32, rel=0.03)
    assert information(0.1) < 0.5 * wide


def test_a_code_a_place_keeps_the_map():
    (code,) = built("code(bits=2, per_place=true)").channels
    z = code(torch.randn(8, 16, 5, 5))
    assert z.shape == (8, 2, 5, 5)
    assert set(z.unique().tolist()) == {-1.0, 1.0}
    assert code.word_bits((16, 5, 5)) == 50
    assert code.receiver()(z).shape == (8, 16, 5, 5)
    with pytest.raises(ConfigError, match="height, width"):
        DefenseConfig.parse("channels(n=2)").build(Sizes((4,), (7,), 2))
