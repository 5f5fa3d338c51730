"""What every network that mixcon builds and cuts keeps to."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from mixcon.split import check_steady, split_model
from mixcon.testing._expect import expect

__all__ = ["check_network"]


def check_network(
    make: Callable[[tuple[int, ...], int], nn.Module],
    shape: tuple[int, ...],
    classes: int,
    cut: str,
) -> None:
    """Check a function that makes networks.

    What it makes must give logits, (N, classes), with a gradient; the same weights from the same
    seed; the same logits of a sample whatever the others in the batch, in evaluation mode; leave
    its input as it was; and, once it is cut, give what it gave before, whatever was asked between.

    Args:
        make: from the shape of a sample and the number of classes to a new network.
        shape: shape of one sample, without the batch.
        classes: number of logits.
        cut: name of the layer to cut after.

    Raises:
        AssertionError: one of these does not hold.
        CutError: it cannot be cut there, or a half remembers what it was asked.

    Example:
        >>> from mixcon.models import lenet5
        >>> check_network(lenet5, (1, 28, 28), 10, cut="pool2")
    """
    with torch.random.fork_rng():
        first, second = (_made(make, shape, classes) for _ in range(2))
        x = torch.rand(4, *shape)
    for name, tensor in first.state_dict().items():
        expect(
            torch.equal(tensor, second.state_dict()[name]),
            f"expected the same weights from the same seed, but '{name}' differs",
        )
    _check_logits(first.eval(), x, classes)
    _check_cut(first, x, cut)


def _made(
    make: Callable[[tuple[int, ...], int], nn.Module], shape: tuple[int, ...], classes: int
) -> nn.Module:
    torch.manual_seed(0)
    net = make(shape, classes)
    expect(isinstance(net, nn.Module), f"expected a torch.nn.Module, but got {type(net).__name__}")
    return net


def _check_logits(net: nn.Module, x: torch.Tensor, classes: int) -> None:
    before = x.clone()
    logits = net(x)
    got = f"{type(logits).__name__} {tuple(getattr(logits, 'shape', ()))}"
    shaped = isinstance(logits, torch.Tensor) and logits.shape == (len(x), classes)
    expect(shaped, f"expected logits of shape {(len(x), classes)}, but got {got}")
    expect(bool(logits.isfinite().all()), "expected finite logits")
    expect(logits.requires_grad, "expected logits with a gradient to the weights")
    expect(torch.equal(x, before), "expected its input to stay as it was")
    expect(
        torch.allclose(net(x[:1]), logits[:1], atol=1e-4),
        "expected the logits of a sample not to depend on the others in its batch",
    )


def _check_cut(net: nn.Module, x: torch.Tensor, cut: str) -> None:
    model = split_model(net, cut)
    z = model.release(x)
    expect(z.is_floating_point(), f"expected '{cut}' to give floats, but got {z.dtype}")
    check_steady(model, x)
    expect(torch.allclose(model(x), net(x), atol=1e-5), "expected both halves to equal the whole")
