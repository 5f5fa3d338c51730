"""What every inversion attack keeps to."""

from __future__ import annotations

import json
import pickle
from functools import cache
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from mixcon.attacks import Attack, Auxiliary, WhiteBox
from mixcon.channels import GaussianNoise
from mixcon.data import load
from mixcon.kinds import Kind, has_structure
from mixcon.metrics import class_mean, mse, ssim
from mixcon.models import build
from mixcon.testing._expect import expect

__all__ = ["check_attack", "check_no_oracle"]

_IMAGE = (1, 28, 28)
_TEXT = (4, 7)
_SHAPES = {Kind.IMAGE: _IMAGE, Kind.VECTOR: (6,), Kind.SEQUENCE: (2, 5), Kind.TEXT: _TEXT}


def check_attack(attack: Attack[Any]) -> None:
    """Check an attack on a small encoder.

    It must be made without arguments, compared, hashed, sent to other processes and written into a
    report; give reconstructions of the right shape, the same from the same seed and whatever the
    others in the batch; tell of its progress up to 1; and leave representations and model as they
    were. Then `check_no_oracle`.

    Args:
        attack: with few steps, for it runs four times.

    Raises:
        AssertionError: one of these does not hold.

    Example:
        >>> from mixcon.attacks import Rmle
        >>> check_attack(Rmle(steps=5))
    """
    _check_record(attack)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        shape = _shape(attack)
        encoder = _encoder(shape)
        z = encoder(_victims(shape)[0][:4]).detach()
        found = _check_run(attack, encoder, z)
        alone = _seeded(attack, encoder, z[:1])
        expect(
            torch.allclose(found[:1], alone, atol=1e-3),
            "expected each sample to be attacked for itself, but it depends on the others",
        )
    check_no_oracle(attack)


def check_no_oracle(attack: Attack[Any]) -> None:
    """On a device that sends noise alone, an attack must not beat what the class alone gives away.

    One that does has seen the victims.

    Args:
        attack: the attack; images are those of digits, vectors normal ones, texts any words.

    Raises:
        AssertionError: it does.
    """
    shape = _shape(attack)
    known = _known(_Constant(), shape, GaussianNoise(1.0))
    own = known.auxiliary
    assert own is not None  # noqa: S101  for the types
    victims, labels = _victims(shape)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        found = attack.fit(known)(known.query(victims))
    guess = class_mean(own.inputs, own.labels, labels)
    ours, floor = _likeness(found, victims), _likeness(guess, victims)
    expect(
        ours < floor,
        f"expected no more than a guess from the class, {floor:.3f}, on a device that sends "
        f"noise, but got {ours:.3f}: the attack knows the victims",
    )


def _check_record(attack: Attack[Any]) -> None:
    expect(bool(type(attack)().name), "expected an attack that has a name, made without arguments")
    copy = pickle.loads(pickle.dumps(attack))  # noqa: S301  our own bytes
    expect(
        copy == attack and hash(copy) == hash(attack),
        "expected a frozen dataclass that equals its copy in another process",
    )
    json.dumps(attack.settings)


def _check_run(attack: Attack[Any], encoder: nn.Module, z: Tensor) -> Tensor:
    before = z.clone()
    weights = {name: tensor.clone() for name, tensor in encoder.state_dict().items()}
    encoder.train()
    shares: list[float] = []
    known = _known(encoder, _shape(attack))
    torch.manual_seed(3)
    found = attack.fit(known, shares.append)(z)
    shape = (len(z), *known.shape)
    expect(tuple(found.shape) == shape, f"expected shape {shape}, but got {tuple(found.shape)}")
    expect(not found.requires_grad, "expected reconstructions without a gradient")
    expect(torch.equal(z, before), "expected the representations to stay as they were")
    expect(
        all(torch.equal(weights[name], t) for name, t in encoder.state_dict().items())
        and all(p.requires_grad and p.grad is None for p in encoder.parameters())
        and encoder.training,
        "expected the encoder's weights, gradients and mode to stay as they were",
    )
    expect(
        shares == sorted(shares) and shares[-1] == 1,
        "expected the share that is done to rise to 1",
    )
    expect(
        torch.equal(found, _seeded(attack, encoder, z)),
        "expected torch's seed to decide, but the same attack found something else",
    )
    return found


def _seeded(attack: Attack[Any], encoder: nn.Module, z: Tensor) -> Tensor:
    torch.manual_seed(3)
    return attack.fit(_known(encoder, _shape(attack)))(z)


def _shape(attack: Attack[Any]) -> tuple[int, ...]:
    return next(shape for kind, shape in _SHAPES.items() if kind in attack.inputs)


def _encoder(shape: tuple[int, ...]) -> nn.Module:
    if shape == _IMAGE:
        return build("lenet5", shape, 10).encoder
    return nn.Sequential(nn.Flatten(), nn.Linear(prod(shape), 12), nn.ReLU())


def _known(
    encoder: nn.Module, shape: tuple[int, ...], channel: nn.Module | None = None
) -> WhiteBox:
    """Everything that an attacker may know."""
    own = _own(shape)
    box = Kind.of_samples(own.inputs).box
    return WhiteBox.of(encoder, channel, shape=shape, box=box, auxiliary=own, head=_Level())


@cache
def _own(shape: tuple[int, ...]) -> Auxiliary:
    if shape == _IMAGE:
        train = load("digits").train.take(slice(300))
        return Auxiliary(train.floats(), train.labels)
    samples = _drawn(300, shape, 7)
    return Auxiliary(samples, (samples.flatten(1)[:, 0] > 0).long())


@cache
def _victims(shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    if shape == _IMAGE:
        test = load("digits").test.take(slice(30))
        return test.floats(), test.labels
    samples = _drawn(30, shape, 8)
    return samples, (samples.flatten(1)[:, 0] > 0).long()


def _drawn(count: int, shape: tuple[int, ...], seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    if shape == _TEXT:
        length, words = shape
        return torch.eye(words)[torch.randint(words, (count, length), generator=generator)]
    return torch.randn(count, *shape, generator=generator)


def _likeness(found: Tensor, wanted: Tensor) -> float:
    if has_structure(found.shape[1:]):
        return ssim(found, wanted).mean().item()
    return -mse(found, wanted).mean().item()


class _Constant(nn.Module):
    """An encoder that tells nothing."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1)[:, :5] * 0 + 1


class _Level(nn.Module):
    """A head for whatever comes: ten classes by the mean of z."""

    def forward(self, z: Tensor) -> Tensor:
        return z.flatten(1).mean(1, keepdim=True) * torch.arange(10.0)
