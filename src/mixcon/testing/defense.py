"""What every defense, and each part of one, keeps to."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mixcon.defenses import Adversary, Batch, Defense, DefenseConfig, Penalty
from mixcon.split import Sizes
from mixcon.testing._expect import expect
from mixcon.testing.channel import check_channel

__all__ = ["check_defense"]

_SIZES = Sizes((1, 8, 8), (4, 3, 3), 3)
_STEPS = 50


def check_defense(text: str, sizes: Sizes = _SIZES) -> None:
    """Check a defense, written as on the command line.

    It must be read back as it is written; be built the same from the same seed; keep the contract
    of `check_channel` with each channel; cost a finite scalar with a gradient; and an adversary
    must lower its own loss by its own weights alone.

    Args:
        text: with weights above 0, for example ``mine.parts:Pull(weight=0.1)``; what it names must
            have been imported, or allowed by `mixcon.allow_code`.
        sizes: of the model that it is built for.

    Raises:
        AssertionError: one of these does not hold.
        ConfigError: it cannot be read or built.

    Example:
        >>> check_defense("mixcon(weight=0.1) + normalize + gaussian(sigma=0.1)")
    """
    config = DefenseConfig.parse(text)
    again = DefenseConfig.parse(str(config))
    expect(again == config, f"expected '{config}' to be read back as it is written")
    with torch.random.fork_rng():
        defense, twin = (_built(config, sizes) for _ in range(2))
        _check_same(defense, twin)
        raw = torch.randn(12, *sizes.representation)
        x, y = torch.rand(12, *sizes.inputs), torch.arange(12) % sizes.classes
        shape = sizes.representation
        for channel in defense.channels:
            check_channel(channel, shape)
            shape = channel.shape(shape)
        defense.channel.train()(raw)  # a quantizer has to see numbers first
        for adversary in defense.adversaries:
            _check_learning(adversary, Batch(x, y, raw, defense.channel(raw).detach()))
        parts: list[Penalty | Adversary] = [*defense.penalties, *defense.adversaries]
        for part in parts:
            _check_cost(part, defense, Batch(x, y, raw, raw))


def _built(config: DefenseConfig, sizes: Sizes) -> Defense:
    torch.manual_seed(0)
    return config.build(sizes)


def _parts(defense: Defense) -> list[nn.Module]:
    return [*defense.penalties, *defense.adversaries, *defense.channels]


def _check_same(defense: Defense, twin: Defense) -> None:
    expect(bool(_parts(defense)), "expected a penalty, an adversary or a channel, but got none")
    for one, other in zip(_parts(defense), _parts(twin), strict=True):
        for name, tensor in one.state_dict().items():
            expect(
                torch.equal(tensor.nan_to_num(), other.state_dict()[name].nan_to_num()),
                f"expected the same {type(one).__name__} from the same seed, but '{name}' differs",
            )


def _check_cost(part: Penalty | Adversary, defense: Defense, batch: Batch) -> None:
    name = type(part).__name__
    raw = batch.raw.clone().requires_grad_()
    cost = part.penalty(batch._replace(raw=raw, z=defense.channel(raw)))
    expect(cost.ndim == 0, f"{name}: expected a scalar cost, but got shape {tuple(cost.shape)}")
    expect(bool(cost.isfinite()), f"{name}: expected a finite cost, but got {cost.item()}")
    learned = [p for channel in defense.channels for p in channel.parameters()]
    expect(cost.requires_grad, f"{name}: expected a cost that depends on the model")
    found = torch.autograd.grad(cost, [raw, *learned], allow_unused=True)
    gradients = [gradient for gradient in found if gradient is not None]
    expect(all(bool(g.isfinite().all()) for g in gradients), f"{name}: expected a finite gradient")
    expect(
        any(bool(g.any()) for g in gradients),
        f"{name}: expected a gradient that reaches the model, but it is 0",
    )


def _check_learning(adversary: Adversary, batch: Batch) -> None:
    name = type(adversary).__name__
    optimizer = adversary.optimizer()
    mine = {id(p) for p in adversary.parameters()}
    tuned = {id(p) for group in optimizer.param_groups for p in group["params"]}
    expect(tuned <= mine, f"{name}: expected an optimizer of the adversary's own weights alone")
    losses = [_step(adversary, optimizer, batch) for _ in range(_STEPS)]
    expect(
        min(losses[-5:]) < losses[0],
        f"{name}: expected its loss to fall on one batch, but it went from {losses[0]:.4g} to "
        f"{losses[-1]:.4g}",
    )


def _step(adversary: Adversary, optimizer: torch.optim.Optimizer, batch: Batch) -> float:
    optimizer.zero_grad()
    loss: Tensor = adversary(batch)
    loss.backward()
    optimizer.step()
    return loss.item()
