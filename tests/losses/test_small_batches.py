"""The NumPy path of small float32 batches against PyTorch's, which others hold to the oracle."""

import pytest
import torch

from mixcon.losses import mixcon_loss


def loss_and_gradient(z, y, **settings):
    leaf = z.clone().requires_grad_()
    loss = mixcon_loss(leaf, y, **settings)
    return loss, torch.autograd.grad(loss, leaf)[0]


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("beta", [0.0, 1e-4, 0.25])
@pytest.mark.parametrize("spread", [1.0, 1e-2])
@pytest.mark.parametrize("seed", range(3))
def test_equals_float64_on_pytorch(normalize, beta, spread, seed):
    g = torch.Generator().manual_seed(seed)
    z = 1 + spread * torch.randn(40, 3, 5, 5, generator=g)
    z[seed] = 0
    y = torch.randint(0, 4, (40,), generator=g)
    got = loss_and_gradient(z, y, beta=beta, normalize=normalize)
    expected = loss_and_gradient(z.double(), y, beta=beta, normalize=normalize)
    for a, b in zip(got, expected, strict=True):
        assert a.dtype == torch.float32
        torch.testing.assert_close(
            a.double(), b, rtol=1e-5, atol=1e-12 + 1e-6 * b.abs().max().item()
        )


def test_second_derivatives_go_on_from_there():
    g = torch.Generator().manual_seed(0)
    z, y = torch.randn(12, 5, generator=g), torch.arange(12) % 3

    def curvature(z):
        leaf = z.clone().requires_grad_()
        (first,) = torch.autograd.grad(mixcon_loss(leaf, y), leaf, create_graph=True)
        return torch.autograd.grad(first.square().sum(), leaf)[0]

    torch.testing.assert_close(curvature(z).double(), curvature(z.double()), rtol=1e-4, atol=1e-4)


def test_input_stays_and_nan_passes_without_a_warning():
    z, y = torch.randn(12, 5), torch.arange(12) % 3
    before = z.clone()
    mixcon_loss(z, y)
    assert torch.equal(z, before)
    z[0, 0], z[1, 0] = torch.inf, torch.nan
    assert mixcon_loss(z, y).isnan()


def test_views_and_other_memory_layouts_are_read_right():
    g = torch.Generator().manual_seed(0)
    z, y = torch.randn(12, 3, 4, 4, generator=g), torch.arange(12) % 3
    layouts = (
        z.to(memory_format=torch.channels_last),
        z.mT.contiguous().mT,
        z.repeat_interleave(2, 0)[::2],
    )
    for other in layouts:
        assert torch.equal(other, z)
        torch.testing.assert_close(loss_and_gradient(other, y), loss_and_gradient(z, y))
