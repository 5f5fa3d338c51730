"""Networks with attention or recurrent layers go through all that derives them twice."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from mixcon.attacks import Auxiliary, GaussNewton, WhiteBox
from mixcon.bounds import fisher_information_leakage


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
def test_second_derivatives_and_batched_ones(make):
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
