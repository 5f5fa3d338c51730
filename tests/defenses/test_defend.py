"""A defense in a split model of one's own: sizes are found, layers are shared."""

import torch
from torch import nn

from mixcon import defend, split_model
from mixcon.channels import Code, parts
from mixcon.defenses import Batch


def network():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 12), nn.ReLU(), nn.Linear(12, 3))


def test_the_defended_model_releases_what_the_defense_says():
    net = network()
    split = split_model(net, at="2")
    model, defense = defend(split, "code(bits=5) + unicon(on=z)", torch.rand(2, 1, 8, 8))
    assert model.training
    assert [type(part) for part in parts(model.channel)] == [Code]
    x, y = torch.rand(9, 1, 8, 8), torch.arange(9) % 3
    raw = model.represent(x)
    z = model.channel(raw)
    assert (raw.shape, z.shape, model.head(z).shape) == ((9, 12), (9, 5), (9, 3))
    defense.penalty(Batch(x, y, raw, z)).backward()
    assert net[1].weight.grad.abs().sum() > 0  # the layers are those of the network
    assert {p.data_ptr() for p in net.parameters()} <= {p.data_ptr() for p in model.parameters()}


def test_vanilla_changes_nothing():
    split = split_model(network(), at="2").eval()
    x = torch.rand(4, 1, 8, 8)
    before = split(x)
    model, defense = defend(split, "vanilla", x[:2])
    assert torch.equal(model.eval()(x), before)
    assert not defense.channels
