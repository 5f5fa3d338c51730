"""Layers that others wrote: fused, of one type, without weights, with own gradients."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from mixcon.attacks import Auxiliary, GaussNewton, WhiteBox, strongest
from mixcon.audit import Subject, run_audit
from mixcon.audit.bound import bound
from mixcon.bounds import fisher_information_leakage
from mixcon.channels import GaussianNoise
from mixcon.errors import ConfigError
from mixcon.split import SplitModel


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.mixed = nn.Linear(8, 24)

    def forward(self, x):
        parts = self.mixed(x).unflatten(-1, (3, 2, 4)).permute(2, 0, 3, 1, 4)
        return F.scaled_dot_product_attention(*parts.unbind(0)).transpose(1, 2).flatten(2)


class Recurrent(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.inner = layer(8, 8, batch_first=True)

    def forward(self, x):
        return self.inner(x)[0]


NETWORKS = [
    Attention,
    lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True),
    lambda: Recurrent(nn.LSTM),
    lambda: Recurrent(nn.GRU),
]


@pytest.mark.parametrize("make", NETWORKS, ids=["attention", "layer", "lstm", "gru"])
def test_second_derivatives(make):
    torch.manual_seed(0)
    net, x = make().eval(), torch.randn(60, 5, 8)
    own = Auxiliary(x[4:], torch.zeros(56).long())
    known = WhiteBox.of(net, shape=(5, 8), auxiliary=own)
    z = known.query(x[:4])
    found = known.query(GaussNewton(prior=1e-9).fit(known)(z))
    guess = known.query(own.inputs.mean(0, keepdim=True))
    assert (found - z).square().mean() < 0.1 * (guess - z).square().mean()
    whole = [torch.autograd.functional.jacobian(net, one[None]).square().sum() for one in x[:2]]
    information = fisher_information_leakage(net, x[:2], 1.0)
    assert torch.allclose(information, torch.stack(whole) / 40, rtol=1e-3)
    wide = fisher_information_leakage(lambda x: torch.cat([net(x), 2 * net(x)], -1), x[:2], 1.0)
    assert torch.allclose(wide, 5 * information, rtol=1e-3)


class Clipped(torch.autograd.Function):
    """Written as most are: without `setup_context`, and derived once."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * (x > 0)


class Of(nn.Module):
    """A linear layer of which `function` makes something."""

    def __init__(self, function):
        super().__init__()
        self.layer, self.function = nn.Linear(784, 64), function

    def forward(self, x):
        return self.function(self.layer, x.flatten(1))


ENCODERS = {
    "casts to float32": lambda: Of(lambda layer, x: layer(x.float())),
    "own gradient": lambda: Of(lambda layer, x: Clipped.apply(layer(x))),
    "no weights": lambda: nn.Sequential(nn.AvgPool2d(3), nn.Flatten()),
}


@pytest.mark.parametrize("name", ENCODERS)
def test_a_whole_audit(name, few_digits):
    torch.manual_seed(0)
    encoder = ENCODERS[name]()
    numbers = encoder(few_digits.test.floats(slice(1))).shape[1]
    model = SplitModel(encoder, nn.Linear(numbers, 10), GaussianNoise(0.05)).eval()
    rest = ["calibration", "recognizer", "saturation"]
    report, _ = run_audit(
        [Subject(model)],
        few_digits,
        strongest("image", 0.005),
        victims=3,
        thorough=True,
        without=rest,
    )
    assert len(report.models[0].attacks) == 9
    assert not report.models[0].bound.vacuous


def straight(layer, x):
    out = layer(x)
    return out + ((8 * out).round() / 8 - out).detach()


@pytest.mark.parametrize(
    ("function", "vacuous"),
    [
        (lambda layer, x: layer(x).relu(), False),
        (lambda layer, x: 1 + 1e-6 * layer(x), False),
        (lambda layer, x: torch.cat([0.01 * layer(x), x.detach()], 1), True),
        (straight, True),
        (lambda layer, x: (8 * layer(x)).round(), True),
    ],
    ids=[
        "smooth",
        "hardly moves",
        "hides a part from gradients",
        "rounds straight through",
        "rounds",
    ],
)
def test_no_bound_is_claimed_where_derivatives_say_too_little(function, vacuous, digits):
    torch.manual_seed(0)
    model = SplitModel(Of(function), nn.Identity(), GaussianNoise(0.05)).eval()
    assert bound(model, digits.test.floats(slice(20))).vacuous is vacuous


def test_weights_of_another_type_are_refused_before_work_starts(lenet, few_digits):
    with pytest.raises(ConfigError, match=r"float32 weights, but got torch.float64 \(encoder"):
        run_audit([Subject(lenet.double())], few_digits, strongest("image"), victims=2)
