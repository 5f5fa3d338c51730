"""Defenses: written, read back, built in order, and refused where they do not fit together."""

import pytest
import torch

from mixcon.channels import Normalize, Quantize
from mixcon.defenses import Batch, Defense, DefenseConfig, part_names
from mixcon.defenses.grammar import Part, parse_parts, split_outside, write_parts
from mixcon.errors import ConfigError
from mixcon.losses import distance_correlation, mixcon_loss
from mixcon.split import Sizes
from mixcon.testing import check_defense

NEEDS = {
    "gaussian": "sigma=0.1",
    "laplace": "scale=0.1",
    "dropout": "rate=0.2",
    "quantize": "bits=4",
    "code": "bits=4",
    "project": "n=3",
    "channels": "n=2",
    "vib": "n=3",
}
SIZES = Sizes((1, 8, 8), (5,), 3)


def written(name):
    return f"{name}({NEEDS[name]})" if name in NEEDS else name


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    raw = torch.randn(12, 5, generator=generator)
    x = torch.rand(12, 1, 8, 8, generator=generator)
    return Batch(x, torch.arange(12) % 3, raw, raw)


@pytest.mark.parametrize(
    "text",
    [
        "vanilla",
        "normalize",
        "mixcon(weight=1, beta=0.0001) + normalize + gaussian(sigma=0.05)",
        "mixcon(normalize=False, barrier=log-like)",
        "mine.parts:Pull(weight=0.1)",
        "gaussian(sigma=0.30000000000000004)",
        "mixcon(weight=0.01..1, beta=[1e-4, 1e-2])",
    ],
)
def test_what_is_printed_can_be_read_back(text):
    parts = parse_parts(text)
    assert write_parts(parts) == text
    assert parse_parts(write_parts(parts)) == parts


def test_numbers_and_words_are_told_apart():
    (part,) = parse_parts("x( a=1 , b=1e-4,c=true,d=raw , e=-2.5)")
    assert part == Part("x", {"a": 1, "b": 1e-4, "c": True, "d": "raw", "e": -2.5})
    assert type(part.settings["a"]) is int


def test_separators_inside_of_brackets_separate_nothing():
    assert list(split_outside("a(x=[1, 2], y=3), b", ",")) == ["a(x=[1, 2], y=3)", " b"]


@pytest.mark.parametrize(
    "text", ["", "mixcon(", "mixcon)", "mixcon(beta)", "mixcon(beta=1, beta=2)", "+", "a b", "a++b"]
)
def test_what_is_no_defense_is_shown(text):
    with pytest.raises(ConfigError, match="could not read"):
        DefenseConfig.parse(text)


def test_tables_of_older_run_folders_are_read():
    old = {
        "losses": [{"name": "mixcon", "weight": 1.0, "beta": 1e-4}],
        "channels": [{"name": "gaussian", "sigma": 0.05}],
    }
    assert str(DefenseConfig.parse(old)) == "mixcon(weight=1, beta=0.0001) + gaussian(sigma=0.05)"
    assert DefenseConfig.parse({}) == DefenseConfig()


def test_vanilla_adds_and_does_nothing(batch):
    defense = DefenseConfig().build(SIZES)
    assert defense == Defense()
    assert defense.penalty(batch) == 0
    assert torch.equal(defense.channel(batch.raw), batch.raw)


@pytest.mark.parametrize("name", part_names())
def test_contract(name):
    check_defense(written(name), SIZES._replace(representation=(4, 3, 3)))
    assert DefenseConfig.parse(written(name)).name == name


def test_combination_is_weighted_and_in_order(batch):
    text = "mixcon(weight=0.5, beta=1e-2) + nopeek(weight=2) + normalize + quantize(bits=2)"
    defense = DefenseConfig.parse(text).build(SIZES)
    raw, x, y = batch.raw, batch.x, batch.y
    expected = 0.5 * mixcon_loss(raw, y, beta=1e-2) + 2 * distance_correlation(raw, x)
    assert torch.isclose(defense.penalty(batch), expected)
    assert [type(c) for c in defense.channel] == [Normalize, Quantize]


def test_a_loss_may_look_at_what_is_sent(batch):
    defense = DefenseConfig.parse("unicon(on=z)").build(SIZES)
    assert defense.penalty(batch) > 0
    assert defense.penalty(batch._replace(z=torch.ones(12, 5))) == 0


def test_channels_are_built_for_what_the_ones_before_release(batch):
    defense = DefenseConfig.parse("project(n=3) + code(bits=2)").build(SIZES)
    z = defense.channel(batch.raw)
    assert z.shape == (12, 2)
    assert defense.behind(torch.nn.Identity())(z).shape == (12, 5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mixcom", "did you mean 'mixcon'"),
        ("normalize(sigma=1)", "settings of normalize none, but got sigma"),
        ("gaussian", "to be given its sigma"),
        ("gaussian(sigma=1, weight=1)", "out of sigma, but got weight"),
        ("mixcon(beta=-1)", "beta >= 0"),
        ("mixcon(beta=1e-4, eps=0.01)", "0 < eps <"),
        ("gaussian(sigma=-1)", "sigma"),
        ("gaussian(sigma=much)", "sigma"),
        ("mixcon(weight=-1)", "weight"),
        ("mixcon + mixcon", "each penalty once"),
        ("mixcon + reconstructor + mixcon(weight=2)", "each penalty once"),
        ("unicon(on=x)", "raw or z"),
        ("code(bits=0)", "bits"),
        ("code(bits=2, flip=0.5)", "flip"),
    ],
)
def test_misfits_are_refused(text, message):
    with pytest.raises(ConfigError, match=message):
        DefenseConfig.parse(text).build(SIZES)


def test_the_same_channel_may_come_twice(batch):
    assert (
        len(DefenseConfig.parse("normalize + project(n=2) + normalize").build(SIZES).channels) == 3
    )
