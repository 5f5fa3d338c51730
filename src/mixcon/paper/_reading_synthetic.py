"""Readings of the synthetic experiment: all numbers of Tables 1 and 2 and Figure 2 at once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from mixcon.data import Splits
from mixcon.data.synthetic import synthetic
from mixcon.metrics import cosine
from mixcon.models import build
from mixcon.paper._experiment import Row, RunOptions, Scale
from mixcon.paper._kept import Kept
from mixcon.paper._mlp_stack import ACTIVATIONS, Penalties, Stack, invert_stack, train_stack
from mixcon.paper._numbers import paper_value
from mixcon.paper._plain_training import epoch_order
from mixcon.paper._search import Reading
from mixcon.paper._synthetic import COLLAPSED, SEPARATED, SETTINGS
from mixcon.training.run_folder import manual_seed

__all__ = ["COLLAPSE", "MOST", "NETWORKS", "OTHERS", "START", "SyntheticReadings"]

Found = tuple[str, str, Sequence[float | None]]
"""Setting, quantity, and one value a seed; None where there is none."""

NETWORKS: dict[str, tuple[Any, ...]] = {
    "activation": tuple(ACTIVATIONS),
    "softmax": ("once", "twice"),
    "batch": (10, 32, 100, 800),
    "h": ("before its activation", "after its activation"),
}
"""What is tried in all combinations."""
OTHERS: dict[str, tuple[Any, ...]] = {
    "eps": (1e-2, 1e-3, 5e-2),
    "weights": ("PyTorch's default", "N(0, 1)", "N(u, 1)", "N(0, 1 / inputs)"),
    "pairing": ("as batches fall", "balanced batches"),
    "test labels": ("flipped", "clean"),
    "attack starts": ("at zero", "N(0, 1)", "U(0, 1)"),
    "attack's distance": ("summed", "averaged"),
}
"""What is tried one after the other, for the best of these."""
START: Reading = {axis: values[0] for axis, values in (NETWORKS | OTHERS).items()}
"""How the tables were read first."""
MOST = math.prod(map(len, NETWORKS.values())) + sum(
    len(values) - 1 for axes in (OTHERS, NETWORKS, OTHERS) for values in axes.values()
)
"""How many readings the search tries at most."""
COLLAPSE = "mean distance, of vanilla's"

_HEADS = {"": "mlp", ", deeper": "mlp-deeper", ", wider": "mlp-wider"}
_EPOCHS: dict[Scale, int] = {"smoke": 1, "small": 20, "full": 20}
_STEPS: dict[Scale, int] = {"smoke": 5, "small": 500, "full": 500}
_VICTIMS = 50  # a seed
_RATE, _NO_REPULSION = 0.1, 1e-6  # the clamp of beta = 0, as MixConLoss has it


@dataclass(frozen=True)
class SyntheticReadings:
    """Rows for readings, from what lies in the work folder or anew."""

    options: RunOptions
    kept: Kept

    def rows(self, reading: Reading) -> list[Row]:
        """All numbers for one reading, one value a seed."""
        about = [list(self.options.seeds), dict(reading)]
        found = self.kept.value(about, lambda: self._measure(reading))
        return [
            Row(
                setting=setting,
                quantity=quantity,
                paper=0.0
                if quantity == COLLAPSE
                else paper_value(_table(quantity), "", setting, quantity),
                ours=[float("nan") if value is None else value for value in ours],
                places=3 if quantity in {"MCS", COLLAPSE} else 2 if quantity == "MSE" else 1,
                ordered=False,
            )
            for setting, quantity, ours in found
        ]

    def wide_at(self, reading: Reading, lr: float) -> list[float]:
        """Test accuracy of MixCon (0.1, 0.01) with the wide head at one rate, percent a seed."""
        seeds, epochs = self.options.seeds, _EPOCHS[self.options.scale]

        def measure() -> list[float]:
            stack = _trained(reading, "mlp-wider", [(0.1, 0.01)], seeds, epochs, lr)
            return _accuracies(stack, reading, "Test", seeds, 1)[0]

        return self.kept.value(["wide", lr, list(seeds), dict(reading)], measure)

    def _measure(self, reading: Reading) -> list[Found]:
        scale, seeds = self.options.scale, self.options.seeds
        found: list[Found] = []
        for ending, network in _HEADS.items():
            settings = [SEPARATED, COLLAPSED] if ending else SETTINGS
            numbers = [(0.0, 0.0), (0.1, 0.01), (0.1, 0.0)][-len(settings) :]
            stack = _trained(reading, network, numbers, seeds, _EPOCHS[scale])
            for part in ("Train", "Test"):
                hits = _accuracies(stack, reading, part, seeds, len(settings))
                name = f"{part} accuracy (%)"
                found += [
                    (s.title + ending, name, row) for s, row in zip(settings, hits, strict=True)
                ]
            if not ending:
                found += _leaks(stack, reading, seeds, [s.title for s in settings], _STEPS[scale])
        return found


def _trained(
    reading: Reading,
    network: str,
    numbers: Sequence[tuple[float, float]],
    seeds: Sequence[int],
    epochs: int,
    lr: float = _RATE,
) -> Stack:
    """Each (lambda, beta) with each seed, trained: those of one setting follow each other."""
    clamps = [reading["eps"] if beta else _NO_REPULSION for _, beta in numbers]
    weight, beta, eps = (
        torch.tensor(column).repeat_interleave(len(seeds))
        for column in (*zip(*numbers, strict=True), clamps)
    )
    stack = Stack(
        _first_weights(reading["weights"], network, seeds, len(numbers)),
        ACTIVATIONS[reading["activation"]],
        reading["h"] == "after its activation",
    )
    x, y = _samples(reading, "Train", seeds, len(numbers))
    balanced = reading["pairing"] == "balanced batches"
    orders = [
        _stacked(
            [
                epoch_order(own, seed, epoch, balanced=balanced)
                for own, seed in zip(y, seeds, strict=False)
            ],
            len(numbers),
        )
        for epoch in range(1, epochs + 1)
    ]
    train_stack(
        stack,
        x,
        y,
        orders,
        Penalties(weight, beta, eps),
        batch=reading["batch"],
        lr=lr,
        softmaxes=1 if reading["softmax"] == "once" else 2,
    )
    return stack


def _first_weights(
    how: str, network: str, seeds: Sequence[int], settings: int
) -> list[tuple[Tensor, Tensor]]:
    """Weights (M, in, out) and biases (M, 1, out) of each layer."""
    models = [_linears(how, network, seed) for seed in seeds]
    return [
        (
            _stacked([w.T for w, _ in layer], settings),
            _stacked([b[None] for _, b in layer], settings),
        )
        for layer in zip(*models, strict=True)
    ]


def _linears(how: str, network: str, seed: int) -> list[tuple[Tensor, Tensor]]:
    """Weights (out, in) and biases (out,) of one network, drawn by its seed."""
    with torch.random.fork_rng():
        generator = manual_seed(seed)
        state = list(build(network, (10,), 2).state_dict().values())
    layers = list(zip(state[::2], state[1::2], strict=True))
    if how == "PyTorch's default":
        return layers

    def drawn(like: Tensor, inputs: int) -> Tensor:
        middle = torch.randn((), generator=generator) if how == "N(u, 1)" else 0.0
        scale = 1 / math.sqrt(inputs) if how == "N(0, 1 / inputs)" else 1.0
        return middle + scale * torch.randn(like.shape, generator=generator)

    return [
        (drawn(weight, weight.shape[1]), drawn(bias, weight.shape[1])) for weight, bias in layers
    ]


def _stacked(each: Sequence[Tensor], settings: int) -> Tensor:
    """One tensor a seed, repeated for each setting: (settings x seeds, ...)."""
    tensor = torch.stack(list(each))
    return tensor.repeat(settings, *[1] * (tensor.ndim - 1))


@lru_cache(maxsize=20)
def _data(seed: int, flipped: bool) -> Splits:
    return synthetic(seed, flip_test=flipped)


def _samples(
    reading: Reading, part: str, seeds: Sequence[int], settings: int
) -> tuple[Tensor, Tensor]:
    """Samples (M, N, 10) and labels (M, N)."""
    splits = [_data(seed, reading["test labels"] == "flipped") for seed in seeds]
    sets = [s.train if part == "Train" else s.test for s in splits]
    return (
        _stacked([s.floats() for s in sets], settings),
        _stacked([s.labels for s in sets], settings),
    )


@torch.no_grad()
def _accuracies(
    stack: Stack, reading: Reading, part: str, seeds: Sequence[int], settings: int
) -> list[list[float]]:
    """In percent, by setting and seed; a network that diverged says the first class."""
    x, y = _samples(reading, part, seeds, settings)
    right = stack.head(stack.represent(x)).argmax(-1) == y
    return (100 * right.float().mean(1)).view(settings, len(seeds)).tolist()


def _leaks(
    stack: Stack, reading: Reading, seeds: Sequence[int], titles: Sequence[str], steps: int
) -> list[Found]:
    """Errors of the attack, and how far the last setting collapsed."""
    x = _samples(reading, "Test", seeds, len(titles))[0]
    with torch.no_grad():
        z = stack.represent(x)
    apart = torch.stack([torch.pdist(own).mean() for own in z])
    x, z = x[:, :_VICTIMS], z[:, :_VICTIMS]
    averaged = reading["attack's distance"] == "averaged"
    found = invert_stack(stack, z, _start(reading, x), averaged=averaged, steps=steps)
    errors = (found - x).square().mean((1, 2))
    cosines = torch.stack([cosine(a, b).mean() for a, b in zip(found, x, strict=True)])
    by_setting: Mapping[str, Tensor] = {"MSE": errors, "MCS": cosines}
    rows = [
        (title, name, _listed(own))
        for name, values in by_setting.items()
        for title, own in zip(titles, values.view(len(titles), -1), strict=True)
    ]
    apart = apart.view(len(titles), -1)
    return [*rows, (titles[-1], COLLAPSE, _listed(apart[-1] / apart[0]))]


def _start(reading: Reading, x: Tensor) -> Tensor:
    if reading["attack starts"] == "at zero":
        return torch.zeros_like(x)
    generator = torch.Generator().manual_seed(0)
    draw = torch.randn if reading["attack starts"] == "N(0, 1)" else torch.rand
    return draw(x.shape, generator=generator)


def _listed(values: Tensor) -> list[float | None]:
    """JSON knows no NaN."""
    return [value if math.isfinite(value) else None for value in values.tolist()]


def _table(quantity: str) -> str:
    return "table1" if "accuracy" in quantity else "table2"
