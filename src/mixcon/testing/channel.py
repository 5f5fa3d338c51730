"""What every channel keeps to."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor

from mixcon.channels import Channel
from mixcon.testing._expect import expect

__all__ = ["check_channel"]

_COUNT = 6


def check_channel(
    channel: Channel,
    given: tuple[int, ...] = (2, 3, 4),
    *,
    dtypes: Sequence[torch.dtype] = (torch.float32,),
) -> None:
    """Check a channel, and what it says of itself.

    It must give what its `shape` says, finite and of the type that it got, and leave what it got
    as it was; draw from torch's generator alone, and only if it says that it `draws`; let the
    gradient through; treat each sample for itself; and keep what `noise_scale`, `unit_norm` and
    `levels` promise, which bounds and exports rest on.

    Args:
        channel: made with settings that do something; a copy of it is checked.
        given: shape of one representation that it is made for.
        dtypes: of the representations; one with weights takes only theirs.

    Raises:
        AssertionError: one of these does not hold.

    Example:
        >>> from mixcon.channels import GaussianNoise
        >>> check_channel(GaussianNoise(0.1))
    """
    channel = copy.deepcopy(channel)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        with torch.no_grad():
            channel.train()(torch.randn(_COUNT, *given))  # a quantizer has to see numbers first
        for dtype in dtypes:
            z = torch.randn(_COUNT, *given).to(dtype)
            for training in (True, False):
                _check_release(copy.deepcopy(channel).train(training), z)
        channel.eval()
        z = torch.randn(_COUNT, *given)
        _check_chance(channel, z)
        _check_neighbors(channel, z)
        _check_receiver(channel, z)
        _check_promises(channel, z)


def _released(channel: Channel, z: Tensor, seed: int = 0) -> Tensor:
    torch.manual_seed(seed)
    found: Tensor = channel(z)
    return found


def _check_release(channel: Channel, z: Tensor) -> None:
    before = z.clone()
    z.requires_grad_()
    found = channel(z)
    shape = (len(z), *channel.shape(tuple(z.shape[1:])))
    expect(tuple(found.shape) == shape, f"expected shape {shape}, but got {tuple(found.shape)}")
    expect(found.dtype == z.dtype, f"expected {z.dtype} to stay, but got {found.dtype}")
    expect(bool(found.isfinite().all()), "expected finite numbers, but got NaN or infinity")
    expect(torch.equal(z, before), "expected what it got to stay as it was")
    (found * torch.randn(found.shape, dtype=z.dtype)).sum().backward()
    gradient = torch.zeros_like(z) if z.grad is None else z.grad
    expect(bool(gradient.isfinite().all()), "expected a finite gradient")
    expect(bool(gradient.any()), "expected a gradient that reaches what it got, but it is 0")


def _check_chance(channel: Channel, z: Tensor) -> None:
    same = torch.equal(_released(channel, z, 1), _released(channel, z, 1))
    expect(same, "expected torch's seed to decide what is drawn, but two calls differ")
    repeats = torch.equal(_released(channel, z, 1), _released(channel, z, 2))
    if channel.draws is None:
        expect(repeats, "expected the same at every call, since `draws` is None")
    else:
        expect(not repeats, f"expected noise, since `draws` is '{channel.draws}', but got none")
    noise = _noise(channel, z)
    torch.manual_seed(1)
    first = channel.transform(z, noise)
    torch.manual_seed(2)
    expect(
        torch.equal(first, channel.transform(z, noise)),
        "expected `transform` to be a function of its two arguments alone: a device fills in its "
        "own noise",
    )


def _check_neighbors(channel: Channel, z: Tensor) -> None:
    changed = z.clone()
    changed[3] += 1
    before, after = _released(channel, z), _released(channel, changed)
    others = [i for i in range(len(z)) if i != 3]
    expect(
        torch.equal(before[others], after[others]),
        "expected each sample to be treated for itself, but it depends on the others in its batch",
    )


def _check_receiver(channel: Channel, z: Tensor) -> None:
    receiver = channel.receiver()
    found = channel(z)
    read = found if receiver is None else receiver(found)
    expect(
        read.shape == z.shape,
        f"expected the cloud's head to get shape {tuple(z.shape)} back, but got "
        f"{tuple(read.shape)}; a channel that changes it has a `receiver`",
    )


def _check_promises(channel: Channel, z: Tensor) -> None:
    noise = _noise(channel, z)
    if channel.noise_scale is not None:
        moved = (channel.transform(z, noise) - channel.transform(z, 0 * noise)).abs()
        least = channel.noise_scale * noise.abs() * 0.999 - 1e-6
        expect(bool((moved >= least).all()), "expected at least as much noise as `noise_scale`")
    if channel.unit_norm:
        norms = channel(1000 * z).flatten(1).norm(dim=1)
        expect(bool((norms <= 1.001).all()), "expected norms of at most 1, as `unit_norm` says")
    if channel.levels is not None:
        bits, low, step = channel.levels
        codes = (channel(z) - low) / step
        whole = (codes - codes.round()).abs().max() < 1e-3
        inside = codes.min() > -0.5 and codes.max() < 2**bits - 0.5
        expect(bool(whole and inside), f"expected none but the {2**bits} numbers of `levels`")


def _noise(channel: Channel, z: Tensor) -> Tensor:
    """One draw as a device makes it."""
    shape = (len(z), *channel.noise_shape(tuple(z.shape[1:])))
    if channel.draws is None:
        return torch.zeros(0)
    return torch.rand(shape) if channel.draws == "uniform" else torch.randn(shape)
