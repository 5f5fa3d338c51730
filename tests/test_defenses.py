"""Defenses: composed by name or config, refused when they do not fit together."""

import pytest
import torch
from pydantic import ValidationError

from mixcon.channels import CHANNELS
from mixcon.defenses import ChannelConfig, DefenseConfig, LossConfig, named_defense
from mixcon.errors import ConfigError
from mixcon.losses import LOSSES, distance_correlation, mixcon_loss

NEEDS = {
    "gaussian": {"sigma": 0.1},
    "laplace": {"scale": 0.1},
    "dropout": {"rate": 0.2},
    "quantize": {"bits": 4},
}


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    raw = torch.randn(12, 5, generator=generator)
    x = torch.rand(12, 1, 4, 4, generator=generator)
    return raw, x, torch.arange(12) % 3


def test_vanilla_adds_and_does_nothing(batch):
    defense = named_defense("vanilla").build()
    assert defense.penalty(*batch) == 0
    assert torch.equal(defense.channel(batch[0]), batch[0])


@pytest.mark.parametrize("name", [*LOSSES, *CHANNELS])
def test_every_part_alone_is_a_defense(name, batch):
    config = named_defense(name, **NEEDS.get(name, {}))
    defense = config.build()
    assert config.name == defense.name == name
    assert (defense.penalty(*batch) > 0) == (name in LOSSES)
    assert defense.channel(batch[0]).shape == batch[0].shape
    assert DefenseConfig.model_validate(config.model_dump()) == config


def test_combination_is_weighted_and_in_order(batch):
    raw, x, y = batch
    config = named_defense("mixcon+nopeek+normalize+quantize", lam=0.5, beta=1e-2, bits=2)
    defense = config.build()
    expected = 0.5 * mixcon_loss(raw, y, beta=1e-2) + 0.5 * distance_correlation(raw, x)
    assert torch.isclose(defense.penalty(*batch), expected)
    assert [type(c) for c in defense.channel] == [CHANNELS["normalize"], CHANNELS["quantize"]]


def test_title_tells_settings():
    assert named_defense("mixcon", lam=1, beta=1e-4).title == "mixcon (weight=1, beta=0.0001)"
    assert named_defense("vanilla").title == "vanilla"


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("mixcom", {}, "did you mean 'mixcon'"),
        ("vanilla", {"beta": 1e-4}, "does not use beta"),
        ("gaussian", {"sigma": 0.1, "lam": 1.0}, "does not use lam"),
        ("gaussian", {}, "to be given its sigma"),
        ("mixcon", {"beta": -1.0}, "beta >= 0"),
        ("mixcon", {"beta": 1e-4, "eps": 0.01}, "0 < eps <"),
        ("gaussian", {"sigma": -1.0}, "sigma"),
    ],
)
def test_misfits_are_refused(name, options, message):
    with pytest.raises(ConfigError, match=message):
        named_defense(name, **options).build()


def test_odd_settings_are_refused():
    with pytest.raises(ConfigError, match=r"settings of normalize out of \[\], but got sigma"):
        ChannelConfig(name="normalize", sigma=1).build()
    with pytest.raises(ConfigError, match="loss out of"):
        LossConfig(name="gaussian").build()
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        named_defense("mixcon", lam=-1)
