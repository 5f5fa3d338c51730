"""What work costs on this machine, timed for a second or two, and what that makes of attacks."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mixcon._memory import at_once
from mixcon.attacks import Attack, Posterior
from mixcon.attacks._fitting import InverseNetwork, unlikeness
from mixcon.attacks.base import TUNED_BY, Device, frozen, held_out
from mixcon.attacks.prototypes import most_alike
from mixcon.kinds import Kind, has_structure
from mixcon.split import SplitModel

__all__ = ["Costs", "Load", "attack_seconds", "measure_costs"]

_ENOUGH = 0.3  # seconds of one measurement
_MOST = 5  # rounds of it
_BATCH = 128  # samples in a step of a generator's training
_SEARCH = 10  # steps of a search that is timed


@dataclass(frozen=True)
class Costs:
    """Seconds for one input; by default about those of LeNet-5 on 28 x 28 pixels, on two cores.

    Attributes:
        release: to pass the device.
        gradient: to pass it forwards and backwards.
        lesson: of a decoder's training.
        likeness: to be compared with an image in one step of a search by SSIM.
    """

    release: float = 3e-5
    gradient: float = 1.5e-4
    lesson: float = 4.5e-4
    likeness: float = 1e-4


class Load(NamedTuple):
    """How much there is to work on.

    Attributes:
        shape: of one input.
        images: inputs that are attacked, those that score the attacks among them.
        auxiliary: the attacker's own samples.
    """

    shape: tuple[int, ...]
    images: int
    auxiliary: int


def measure_costs(model: SplitModel, samples: Tensor) -> Costs:
    """Time a few steps of each kind of work, on up to 128 samples, fewer where they are large.

    A few alone would take longer each, for what a step costs whatever its size.
    """
    like, shape = next(model.parameters()), tuple(samples.shape[1:])
    x = samples[: at_once(128, shape, numbers=2**21)].to(like)
    x = x if len(x) > 1 else x.repeat(2, *[1] * (x.ndim - 1))
    device = Device(model.encoder, model.channel)
    with torch.random.fork_rng(), frozen(device):
        with torch.no_grad():
            z = device(x)
        return Costs(
            release=_timed(lambda: _release(device, x)) / len(x),
            gradient=_timed(lambda: _gradient(device, x)) / len(x),
            lesson=_timed(_lesson(z, x)) / len(x),
            likeness=_likeness(x) if has_structure(shape) else 0.0,
        )


def _timed(work: Callable[[], float]) -> float:
    """Mean seconds of a call after the first; each ends with a number on the CPU."""
    work()
    rounds, started = 0, time.perf_counter()
    while rounds < _MOST and time.perf_counter() - started < _ENOUGH:
        work()
        rounds += 1
    return (time.perf_counter() - started) / rounds


@torch.no_grad()
def _release(device: Device, x: Tensor) -> float:
    return device(x).sum().item()  # type: ignore[no-any-return]


@torch.enable_grad()
def _gradient(device: Device, x: Tensor) -> float:
    inputs = x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(device(inputs).sum(), inputs)
    return gradient.sum().item()


def _lesson(z: Tensor, x: Tensor) -> Callable[[], float]:
    box = Kind.of_samples(x).box
    network = InverseNetwork(z, x, box)
    optimizer = torch.optim.AdamW(network.parameters())

    @torch.enable_grad()
    def step() -> float:
        loss = unlikeness(network(z), x, box).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def _likeness(x: Tensor) -> float:
    few = x[: at_once(128, tuple(x.shape[1:]), numbers=2**20)].cpu()
    members, weights = torch.arange(len(few))[None], torch.ones(1, len(few))

    def search() -> float:
        return most_alike(few[:1], few, members, weights, steps=_SEARCH).sum().item()

    return _timed(search) / (_SEARCH * len(few))


def attack_seconds(attack: Attack[Any], costs: Costs, load: Load, *, tuned: bool) -> float:
    """About the seconds that an attack takes, the choice of its settings included."""
    find = _WORK.get(attack.name, _descent)
    seconds = find(attack.settings, costs, load)
    if tuned:
        few = load._replace(images=min(TUNED_BY, load.auxiliary))
        seconds += len(attack.candidates()) * find(attack.settings, costs, few)
    return seconds


def _descent(settings: dict[str, Any], costs: Costs, load: Load) -> float:
    steps = float(settings.get("steps", 100))
    return float(steps * settings.get("restarts", 1) * load.images * costs.gradient)


def _newton(settings: dict[str, Any], costs: Costs, load: Load) -> float:
    products = settings["steps"] * (2 * settings["inner"] + 3)
    return float(2 * products * load.images * costs.gradient)  # in float64


def _prior(settings: dict[str, Any], costs: Costs, load: Load) -> float:
    return float(settings["steps"] * load.images * (costs.gradient + costs.lesson))


def _decoder(settings: dict[str, Any], costs: Costs, load: Load) -> float:
    lessons = settings["steps"] * at_once(settings["batch_size"], load.shape)
    checks = 10 * held_out(load.auxiliary) / 3
    return float((lessons + checks) * costs.lesson + lessons * costs.release)


def _adversarial(settings: dict[str, Any], costs: Costs, load: Load) -> float:
    return 3 * _decoder(settings, costs, load)


def _posterior(settings: dict[str, Any], costs: Costs, load: Load) -> float:
    released = min(settings.get("references", 0), load.auxiliary) * costs.release
    steps = settings.get("posterior_steps", settings.get("steps", 0))
    return float(
        released + steps * settings.get("likely", Posterior.likely) * load.images * costs.likeness
    )


def _generative(settings: dict[str, Any], costs: Costs, load: Load) -> float:
    lessons = settings["prior_steps"] * at_once(_BATCH, load.shape)
    moved = settings["samples"] * load.images
    step = costs.gradient + costs.lesson
    steps = settings["steps"] * step + settings["search_steps"] * costs.likeness
    return float(lessons * costs.lesson + moved * steps)


def _token_search(settings: dict[str, Any], costs: Costs, load: Load) -> float:
    looks = settings["starts"] * load.shape[0] * (load.shape[1] + 1) * load.images
    released = min(settings["references"], load.auxiliary)
    return float((released + settings["steps"] / 3 * looks) * costs.release)


_WORK: dict[str, Callable[[dict[str, Any], Costs, Load], float]] = {
    "averaged": _posterior,
    "decoder": _decoder,
    "deep-prior": _prior,
    "gan-decoder": _adversarial,
    "gauss-newton": _newton,
    "generative-prior": _generative,
    "posterior": _posterior,
    "query": _decoder,
    "query-free": _adversarial,
    "token-search": _token_search,
}
"""Of the attacks that do more than change inputs step by step."""
