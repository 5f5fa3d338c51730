"""The contracts for plug-ins: every way to break one is found, and said."""

import sys
import types
from dataclasses import dataclass, replace

import pytest
import torch
from torch import nn

import mixcon.testing
from mixcon.attacks import Attack, WhiteBox
from mixcon.channels import Channel, GaussianNoise, Levels
from mixcon.data import LabeledSet, Splits, load
from mixcon.defenses import Adversary, Penalty
from mixcon.losses import unicon_loss
from mixcon.metrics import METRICS, mse
from mixcon.testing import (
    check_attack,
    check_channel,
    check_data,
    check_defense,
    check_loss,
    check_metric,
    check_network,
)


def fails(message):
    return pytest.raises(AssertionError, match=message)


def test_every_kind_has_its_contract():
    assert mixcon.testing.__all__ == sorted(mixcon.testing.__all__)
    kinds = {"attack", "channel", "data", "defense", "loss", "metric", "network"}
    assert {f"check_{kind}" for kind in kinds} <= set(mixcon.testing.__all__)
    assert "pytest" not in "".join(vars(mixcon.testing))


def test_the_generator_of_torch_is_left_as_it_was():
    before = torch.get_rng_state()
    check_channel(GaussianNoise(0.1))
    check_defense("gaussian(sigma=0.1)")
    assert torch.equal(torch.get_rng_state(), before)


# Channels


class Kept(Channel):
    """Keeps the contract; what breaks it replaces one thing."""

    def __init__(self, transform=lambda z, noise: 2 * z, receiver=None, **says):
        super().__init__()
        self.function, self.read = transform, receiver
        self.draws = says.pop("draws", None)
        self.says = says

    def transform(self, z, noise):
        return self.function(z, noise)

    def receiver(self):
        return self.read

    noise_scale = property(lambda self: self.says.get("noise_scale"))
    levels = property(lambda self: self.says.get("levels"))


class Unit(Kept):
    unit_norm = True


def test_a_channel_that_keeps_the_contract():
    check_channel(Kept())
    check_channel(Kept(lambda z, n: z + 0.1 * n, draws="normal", noise_scale=0.1))


@pytest.mark.parametrize(
    ("channel", "message"),
    [
        (Kept(lambda z, n: z[:, :1]), "expected shape"),
        (Kept(lambda z, n: z.double()), "to stay, but got"),
        (Kept(lambda z, n: z.detach().mul_(2) + z), "stay as it was"),
        (Kept(lambda z, n: z / z.flatten(1).sum(1).mul(0).view(-1, 1, 1, 1)), "finite numbers"),
        (Kept(lambda z, n: z * 0), "gradient that reaches"),
        (Kept(lambda z, n: z + torch.randn_like(z)), "`draws` is None"),
        (Kept(draws="normal"), "expected noise"),
        (Kept(lambda z, n: z + n + torch.randn_like(z), draws="normal"), "two arguments alone"),
        (Kept(lambda z, n: z - z.mean(0)), "depends on the others"),
        (Kept(receiver=nn.Flatten()), "cloud's head"),
        (Kept(lambda z, n: z + 0.1 * n, draws="normal", noise_scale=0.2), "`noise_scale`"),
        (Unit(), "`unit_norm`"),
        (Kept(levels=Levels(2, -1.0, 1.0)), "4 numbers of `levels`"),
    ],
)
def test_a_channel_that_breaks_it(channel, message):
    with fails(message):
        check_channel(channel)


# Losses


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda z, y: z, "expected a scalar"),
        (lambda z, y: z.sum() * torch.nan, "finite"),
        (lambda z, y: z.detach().sum(), "depends on z"),
        (lambda z, y: (z * 0).sum(), "it is 0"),
        (lambda z, y: z.sum() * torch.rand(()), "not close"),
    ],
)
def test_a_loss_that_breaks_the_contract(loss, message):
    with fails(message):
        check_loss(loss)


def test_a_loss_that_keeps_it():
    check_loss(unicon_loss)


# Defenses


class Pull(Penalty):
    def cost(self, batch):
        return batch.z.square().mean()


class Rows(Penalty):
    def cost(self, batch):
        return batch.raw.flatten(1).sum(1)


class Fixed(Penalty):
    def cost(self, batch):
        return batch.x.sum()


class Drawn(Pull):
    def __init__(self, weight=1.0):
        super().__init__(weight)
        generator = torch.Generator()
        generator.seed()
        self.register_buffer("start", torch.rand(3, generator=generator))


class Guess(Adversary):
    """Learns the mean of x from z."""

    def __init__(self, weight=1.0, rate=1e-2):
        super().__init__(weight)
        self.net, self.rate = nn.Linear(36, 1), rate

    def forward(self, batch):
        wanted = batch.x.flatten(1).mean(1)
        return (self.net(batch.z.flatten(1)).squeeze(1) - wanted).square().mean()

    def cost(self, batch):
        return -self(batch)

    def optimizer(self):
        return torch.optim.SGD(self.parameters(), lr=self.rate)


@pytest.fixture
def own(monkeypatch):
    module = types.ModuleType("own_defenses")
    for part in (Pull, Rows, Fixed, Drawn, Guess):
        setattr(module, part.__name__, part)
    monkeypatch.setitem(sys.modules, "own_defenses", module)


def test_a_defense_that_keeps_the_contract(own):
    check_defense("own_defenses:Pull(weight=0.1) + own_defenses:Guess + gaussian(sigma=0.1)")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("own_defenses:Rows", "Rows: expected a scalar cost"),
        ("own_defenses:Fixed", "Fixed: expected a cost that depends on the model"),
        ("own_defenses:Pull(weight=0)", "Pull: expected a gradient that reaches the model"),
        ("own_defenses:Drawn", "expected the same Drawn from the same seed"),
        ("own_defenses:Guess(rate=0.0)", "Guess: expected its loss to fall"),
        ("vanilla", "expected a penalty, an adversary or a channel"),
    ],
)
def test_a_defense_that_breaks_it(own, text, message):
    with fails(message):
        check_defense(text)


# Attacks


@dataclass(frozen=True)
class Gray(Attack[WhiteBox]):
    name = "gray"
    needs = WhiteBox
    inputs = frozenset({"vector"})
    value: float = 0.5

    def _fit(self, knowledge, on_step):
        return lambda z, on_step: z.new_full((len(z), *knowledge.shape), self.value)


@dataclass(frozen=True)
class Dicing(Gray):
    def _fit(self, knowledge, on_step):
        generator = torch.Generator()
        generator.seed()
        return lambda z, on_step: torch.rand(len(z), *knowledge.shape, generator=generator)


@dataclass(frozen=True)
class Crowd(Gray):
    def _fit(self, knowledge, on_step):
        return lambda z, on_step: z.sum() * z.new_ones(len(z), *knowledge.shape)


@dataclass(frozen=True)
class Careless(Gray):
    def _fit(self, knowledge, on_step):
        knowledge.encoder.requires_grad_(False)
        return super()._fit(knowledge, on_step)


@dataclass(frozen=True)
class Oracle(Gray):
    def _fit(self, knowledge, on_step):
        seen = torch.randn(30, *knowledge.shape, generator=torch.Generator().manual_seed(8))
        return lambda z, on_step: seen[: len(z)]


class Sounds(Gray):
    inputs = frozenset({"sequence"})


@pytest.mark.parametrize("attack", [Gray(0.0), Sounds(0.0)])
def test_an_attack_that_keeps_the_contract(attack):
    check_attack(attack)


@pytest.mark.parametrize(
    ("attack", "message"),
    [
        (Dicing(), "torch's seed"),
        (Crowd(), "depends on the others"),
        (Careless(), "gradients and mode"),
        (Oracle(), "knows the victims"),
    ],
)
def test_an_attack_that_breaks_it(attack, message):
    with fails(message):
        check_attack(attack)


# Metrics


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        (replace(METRICS["mse"], function=lambda a, b: mse(a, b).mean()), "one number for each"),
        (replace(METRICS["mse"], function=lambda a, b: mse(a, b) / mse(a, b).sum()), "others|copy"),
        (replace(METRICS["mse"], perfect=1.0), "for a copy"),
        (replace(METRICS["mse"], higher_leaks=True), "`higher_leaks`"),
        (replace(METRICS["mse"], limits=(0.0, 0.01)), "values in"),
        (replace(METRICS["mse"], phrase="an error"), "`phrase`"),
    ],
)
def test_a_metric_that_breaks_the_contract(metric, message):
    with fails(message):
        check_metric(metric)


# Networks


def linear(shape, classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(shape[0], 8), nn.ReLU(), nn.Linear(8, classes))


class Averaging(nn.Module):
    def forward(self, x):
        return x - x.mean(0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda s, c: 7, "torch.nn.Module"),
        (lambda s, c: linear(s, c + 1), "expected logits of shape"),
        (lambda s, c: linear(s, c).requires_grad_(False), "with a gradient"),
        (lambda s, c: nn.Sequential(*linear(s, c)[:2], Averaging(), nn.Linear(8, c)), "others"),
    ],
)
def test_a_network_that_breaks_the_contract(make, message):
    check_network(linear, (5,), 3, cut="1")
    with fails(message):
        check_network(make, (5,), 3, cut="1")


# Data


def vectors(seed=0, shared=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(60, 4, generator=generator)
    train = LabeledSet("v", x[:40], torch.arange(40) % 2, ("a", "b"))
    test = LabeledSet("v", x[40 - shared :], torch.arange(20 + shared) % 2, ("a", "b"))
    return Splits(train, test)


def test_data_that_breaks_the_contract():
    check_data(vectors)
    check_data(lambda: load("synthetic"))
    seeds = iter(range(2))
    with fails("same samples"):
        check_data(lambda: vectors(next(seeds)))
    with fails("not in the training part, but 3 of 23 are"):
        check_data(lambda: vectors(shared=3))
    with fails("Splits, but got int"):
        check_data(lambda: 7)
