"""Channels with weights: what leaves, what the gradient is, and how many words there are."""

import pytest
import torch

from mixcon.channels import Code, Levels, Project, parts
from mixcon.channels import compose as composed
from mixcon.split import Sizes

SIZES = Sizes((1, 8, 8), (2, 3, 5), 4)


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def raw(count=64):
    return torch.randn(count, 2, 3, 5)


def test_a_code_is_made_of_minus_one_and_one():
    code = Code(4, sizes=SIZES)
    z = code(raw())
    assert z.shape == (64, 4)
    assert set(z.unique().tolist()) == {-1.0, 1.0}
    assert 0.3 < (z > 0).float().mean() < 0.7  # batch normalization balances the bits
    assert code.word_bits((2, 3, 5)) == 4
    assert code.levels == Levels(1, -1.0, 2.0)
    assert len(code(raw(4000)).unique(dim=0)) <= 16


def test_a_code_repeats_itself_unless_it_flips():
    plain, flipping = Code(8, sizes=SIZES).eval(), Code(8, 0.25, sizes=SIZES).eval()
    z = raw(2000)
    assert torch.equal(plain(z), plain(z))
    first, second = flipping(z), flipping(z)
    # Two calls disagree where one of them flipped and the other did not: 2 p (1 - p).
    assert (first != second).float().mean() == pytest.approx(2 * 0.25 * 0.75, abs=0.02)
    assert (plain.draws, flipping.draws) == (None, "uniform")
    quiet = flipping.transform(z, torch.ones(2000, 8))
    assert (first != quiet).float().mean() == pytest.approx(0.25, abs=0.02)


def test_the_gradient_of_a_code_is_that_of_tanh():
    code = Code(3, sizes=SIZES).eval()
    z = raw(5).requires_grad_()
    (ours,) = torch.autograd.grad(code(z).sum(), z)
    (expected,) = torch.autograd.grad(torch.tanh(code.norm(code.linear(z.flatten(1)))).sum(), z)
    torch.testing.assert_close(ours, expected)


@pytest.mark.parametrize("channel", [Code(6, sizes=SIZES), Project(6, sizes=SIZES)])
def test_the_cloud_gets_back_the_shape_it_expects(channel):
    z = channel(raw())
    assert tuple(z.shape[1:]) == channel.shape(SIZES.representation) == (6,)
    assert channel.receiver()(z).shape == (64, 2, 3, 5)


def test_a_projection_is_linear():
    project = Project(3, sizes=SIZES)
    a, b = raw(), raw()
    torch.testing.assert_close(project(a + b) - project(b), project(a) - project(0 * a))


def test_nested_compositions_are_flat():
    inner = torch.nn.Sequential(Project(3, sizes=SIZES), torch.nn.Sequential(torch.nn.Identity()))
    assert [type(p) for p in parts(composed(inner, Code(2, sizes=Sizes((1,), (3,), 2))))] == [
        Project,
        Code,
    ]


def test_a_batch_of_one_passes_a_code_in_training():
    """The last batch of an epoch may be one sample, which has no variance."""
    code = Code(4, sizes=SIZES)
    many = code(raw())
    kept = code.norm.running_mean.clone()
    assert code(raw(1)).shape == many[:1].shape
    assert torch.equal(code.norm.running_mean, kept)
