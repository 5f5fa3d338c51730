"""The posterior: laws of what channels release, against torch's distributions, and all parts."""

import pytest
import torch
from torch.distributions import Bernoulli, Laplace, Normal

from mixcon import models
from mixcon.attacks import Auxiliary, Posterior, WhiteBox
from mixcon.attacks.posterior import likelihood
from mixcon.channels import Code, GaussianNoise, LaplaceNoise
from mixcon.defenses import DefenseConfig
from mixcon.defenses.shredder import LearnedNoise
from mixcon.defenses.vib import Bottleneck
from mixcon.split import Sizes

SIZES = Sizes((1, 28, 28), (12,), 10)


def learned(noise):
    channel = LearnedNoise(0.3, noise, sizes=SIZES)
    with torch.no_grad():
        channel.location.normal_()
        channel.unbounded.add_(torch.randn(12))
    return channel


def law_of(channel, given):
    """The law of what leaves, by torch's own distributions."""
    if isinstance(channel, GaussianNoise):
        return Normal(given, channel.sigma)
    if isinstance(channel, LaplaceNoise):
        return Laplace(given, channel.scale)
    if isinstance(channel, LearnedNoise):
        law = Normal if channel.draws == "normal" else Laplace
        return law(given + channel.location, channel.scale)
    return Normal(*channel._moments(given))


CHANNELS = {
    "gaussian": lambda: GaussianNoise(0.4),
    "laplace": lambda: LaplaceNoise(0.4),
    "learned normal": lambda: learned("normal"),
    "learned laplace": lambda: learned("laplace"),
    "bottleneck": lambda: Bottleneck(5, sizes=SIZES),
}


@pytest.mark.parametrize("name", CHANNELS)
def test_likelihoods_are_those_of_the_law(name):
    torch.manual_seed(0)
    channel, given = CHANNELS[name](), torch.randn(6, 12)
    with torch.no_grad():
        z = channel(given[:4])
        found = channel.log_likelihood(z, given)
        rows = [law_of(channel, g[None]).log_prob(z).sum(1) for g in given]
    expected = torch.stack(rows, 1).double()
    shift = found - expected  # up to a constant
    torch.testing.assert_close(shift, shift[:1, :1].expand_as(shift), rtol=1e-3, atol=1e-3)


def test_likelihoods_of_flipped_codes_are_those_of_coins():
    torch.manual_seed(0)
    code = Code(7, flip=0.2, sizes=SIZES).eval()
    given = torch.randn(6, 12)
    with torch.no_grad():
        z = code(given[:4])
        found = code.log_likelihood(z, given)
        words = code.transform(given, torch.ones(6, 7))  # no coin falls below the rate
    expected = torch.stack(
        [Bernoulli(0.2).log_prob((z != word).double()).sum(1) for word in words], 1
    )
    shift = found - expected
    torch.testing.assert_close(shift, shift[:1, :1].expand_as(shift), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "text",
    [
        "vanilla",
        "vib(n=6)",
        "vib(n=6) + quantize(bits=4)",
        "vib(n=6) + normalize",
        "shredder",
        "normalize + shredder(noise=normal)",
        "gaussian(sigma=0.1) + normalize",
        "dropout(rate=0.5) + project(n=4)",
        "code(bits=6, flip=0.1) + gaussian(sigma=0.1)",
        "disco(ratio=0.5)",
        "laplace(scale=0.1) + quantize(bits=4)",
    ],
)
def test_every_release_is_weighed(digits, text):
    torch.manual_seed(0)
    bare = models.build("lenet5", (1, 28, 28), 10)
    defense = DefenseConfig.parse(text).build(Sizes((1, 28, 28), (16, 5, 5), 10))
    x, y = digits.train.floats(slice(300)), digits.train.labels[:300]
    channel = defense.channel
    with torch.no_grad():
        channel.train()(bare.encoder(x))  # a quantizer sees its range
        z = channel.eval()(bare.encoder(x[:4]))
    knowledge = WhiteBox.of(
        bare.encoder, channel, shape=(1, 28, 28), box=(0.0, 1.0), auxiliary=Auxiliary(x, y)
    )
    found = Posterior(steps=2).fit(knowledge)(z)
    assert found.shape == (4, 1, 28, 28)
    assert found.isfinite().all()


@pytest.mark.parametrize(("cell", "count"), [(100, 100), (1, 32)])
def test_without_noise_the_nearest_count_and_all_of_their_cell(cell, count):
    """A cell's inputs are alike to the cloud, however many; apart from that, 32 are near."""
    x = torch.cat([torch.zeros(cell), torch.arange(1.0, 151.0)])[:, None]
    knowledge = WhiteBox.of(torch.nn.Identity(), shape=(1,))
    weigh, weighed = likelihood(knowledge, x, lambda _: None)
    found = weigh(torch.zeros(1, 1))[0]
    assert weighed == len(x)
    assert found.isfinite().sum() == count
    assert torch.equal(found[:cell], found[:1].expand(cell))
