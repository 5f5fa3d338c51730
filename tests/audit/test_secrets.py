"""Attributes: what z tells of them, beside guesses and the bound."""

import math
from dataclasses import replace

import pytest
import torch

from mixcon import models
from mixcon.attacks import Decoder
from mixcon.audit import Subject, run_audit
from mixcon.channels import Code
from mixcon.data import Attribute, Splits
from mixcon.defenses import DefenseConfig
from mixcon.errors import ConfigError, DataError
from mixcon.reports import figures_of, verdict
from mixcon.reports.tables import examination_rows
from mixcon.split import Sizes

ATTACKS = [Decoder(steps=2)]


def with_attribute(digits, make):
    """The digits, of which `make` says an attribute of each."""
    parts = []
    for part in (digits.train, digits.test):
        values = make(part)
        parts.append(
            replace(part, attributes={"secret": Attribute(values, ("no", "yes", "maybe"))})
        )
    return Splits(*parts)


def bright(part):
    """Whether an image is bright: z of an undefended network tells, its class hardly."""
    ink = part.inputs.flatten(1).float().mean(1)
    return (ink > ink.median()).long()


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return models.build("lenet5", (1, 28, 28), 10)


def read(model, data):
    report, _ = run_audit([Subject(model)], data, ATTACKS, victims=10, secrets=["secret"])
    (found,) = report.models[0].secrets
    return report, found


def test_what_z_tells_is_read_beyond_any_guess(digits, model):
    report, found = read(model, with_attribute(digits, bright))
    assert found.accuracy > 0.9
    assert found.interval[0] <= found.accuracy <= found.interval[1]
    assert 0.4 < found.blind < 0.6
    assert found.blind <= found.from_class < 0.85
    assert found.most == 1.0  # no bound
    assert found.values == 3
    rows = examination_rows(figures_of(report))
    (shown,) = [row for row in rows if row["Finding"] == "Secret secret read from z by a probe"]
    assert "no bound" in shown["Result"]
    assert "tells a probe the secret of" in verdict(figures_of(report))[-1]


def test_what_z_cannot_tell_is_not_read(digits, model):
    def coin(part):
        return torch.randint(2, (len(part),), generator=torch.Generator().manual_seed(len(part)))

    _, found = read(model, with_attribute(digits, coin))
    assert found.interval[0] < 0.6


def test_no_attacker_exceeds_the_bound_of_few_bits(digits, model):
    torch.manual_seed(0)
    code = Code(1, sizes=Sizes((1, 28, 28), (16, 5, 5), 10))
    head = torch.nn.Sequential(code.receiver() or torch.nn.Identity(), model.head)
    coded = type(model)(model.encoder, head, code)
    _, found = read(coded, with_attribute(digits, lambda part: part.labels % 3))
    assert found.most == pytest.approx(2 * found.blind, abs=0.05)
    assert found.accuracy <= found.most
    assert (found.bits, found.entropy) == (1.0, pytest.approx(math.log2(3), abs=0.03))


def test_mutual_information_bounds_what_leakage_does_not(digits, model):
    torch.manual_seed(0)
    noisy = DefenseConfig.parse("project(n=4) + normalize + gaussian(sigma=2)")
    channel = noisy.build(Sizes((1, 28, 28), (16, 5, 5), 10)).channel
    head = torch.nn.Sequential(torch.nn.Linear(4, 10))
    defended = type(model)(model.encoder, head, channel)
    _, found = read(defended, with_attribute(digits, bright))
    assert 0 < found.bits < 0.2 < found.entropy == pytest.approx(1, abs=0.01)
    assert found.accuracy <= found.most < 0.9


def test_a_class_attribute_is_told_by_the_class(digits, model):
    _, found = read(model, with_attribute(digits, lambda part: part.labels % 3))
    assert found.from_class < 0.7  # an untrained head does not see the class


def test_unknown_attributes_are_named(digits, model):
    with pytest.raises(ConfigError, match="attributes of digits \\(none\\)"):
        run_audit([Subject(model)], digits, ATTACKS, victims=3, secrets=["speaker"])


def test_attributes_must_fit_the_samples(digits):
    part = digits.train
    with pytest.raises(DataError, match="expected int64 values of shape"):
        replace(part, attributes={"a": Attribute(torch.zeros(3, dtype=torch.int64), ("x",))})
    with pytest.raises(DataError, match="expected values from 0 to 0"):
        replace(part, attributes={"a": Attribute(torch.ones_like(part.labels), ("x",))})
    one = replace(part, attributes={"a": Attribute(torch.zeros_like(part.labels), ("x",))})
    with pytest.raises(DataError, match="same attributes"):
        Splits(one, digits.test)


def test_attributes_follow_their_samples(digits):
    data = with_attribute(digits, lambda part: part.labels % 3)
    some = data.train.take(torch.tensor([5, 2, 9]))
    assert torch.equal(some.attributes["secret"].values, some.labels % 3)
    held = data.holdout(0.2).test
    assert torch.equal(held.attributes["secret"].values, held.labels % 3)
