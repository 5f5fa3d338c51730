"""The flow beside the decoder: a density in the right units, samples where inputs are."""

import math

import torch

from mixcon.attacks import Auxiliary, FlowDecoder, Query
from mixcon.attacks._fitting import Moments
from mixcon.attacks.flow_decoder import Flow
from mixcon.metrics import ssim


def some_flow(numbers):
    torch.manual_seed(0)
    flow = Flow(numbers, Moments(torch.randn(50, 3))).double()
    for weight in flow.parameters():
        weight.data.add_(0.1 * torch.randn_like(weight))
    return flow


def test_the_density_is_that_of_the_change_of_variables():
    flow, z = some_flow(5), torch.randn(1, 3, dtype=torch.float64)
    x = flow.sample(z, 1)[0]

    def base(x):
        for coupling in flow.couplings:
            x, _ = coupling(x, flow.moments(z))
        return x

    jacobian = torch.autograd.functional.jacobian(base, x)[0, :, 0]
    wanted = torch.linalg.slogdet(jacobian)[1] - base(x).square().sum() / 2
    torch.testing.assert_close(flow.log_density(x, z)[0], wanted - 2.5 * math.log(2 * math.pi))


def test_samples_are_undone_to_independent_gaussian_numbers():
    flow, z = some_flow(4), torch.randn(2, 3, dtype=torch.float64)
    x = flow.sample(z, 3000)
    context = flow.moments(z).repeat_interleave(3000, 0)
    x = x.flatten(0, 1)
    for coupling in flow.couplings:
        x, _ = coupling(x, context)
    torch.testing.assert_close(torch.cov(x.T), torch.eye(4).double(), rtol=0, atol=0.06)


def test_it_learns_which_inputs_are_left_open(monkeypatch):
    """Z tells which of two pairs; within the pair nothing does, and the samples are its members."""
    torch.manual_seed(0)
    kinds = torch.rand(4, 6)
    labels = torch.randint(4, (600,))
    own = Auxiliary(kinds[labels] + 0.01 * torch.randn(600, 6), labels)

    def query(x):
        nearest = torch.cdist(x, kinds).argmin(1)
        return torch.nn.functional.one_hot(nearest // 2, 2).float()

    knowledge = Query(query=query, shape=(6,), auxiliary=own)
    attack = FlowDecoder(steps=300, decoder_steps=150, directions=4, samples=200)
    seen = []

    def first(samples, *_, **__):
        seen.append(samples)
        return samples[:, 0]

    monkeypatch.setattr("mixcon.attacks.flow_decoder.best_for_all", first)
    attack.fit(knowledge)(torch.eye(2))
    for samples, pair in zip(seen[0], kinds.view(2, 2, 6), strict=True):
        distance = torch.cdist(samples, pair)
        near = distance.min(1).values < 0.35 * torch.dist(*pair)
        assert near.float().mean() > 0.7
        assert 0.2 < (distance.argmin(1) == 0).float().mean() < 0.8


def test_the_answer_is_like_the_images_that_z_leaves_open():
    torch.manual_seed(0)
    image = torch.rand(1, 1, 12, 12)
    own = Auxiliary(
        (image + 0.02 * torch.randn(100, 1, 12, 12)).clamp(0, 1), torch.zeros(100).long()
    )
    knowledge = Query(
        query=lambda x: torch.randn(len(x), 3), shape=(1, 12, 12), box=(0.0, 1.0), auxiliary=own
    )
    found = FlowDecoder(steps=20, decoder_steps=100, directions=4).fit(knowledge)(torch.randn(3, 3))
    assert ssim(found, image.expand_as(found)).min() > 0.8
