"""56 LeNet-5 on MNIST, the paper's grid of lambda and beta: as a stack, and one after another."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import torch
from torch.nn import functional as F

from benchmarks._timing import alternate, table
from mixcon import load_data
from mixcon.data import LabeledSet, Splits
from mixcon.models import build
from mixcon.training import TrainConfig, train_stacked

WEIGHTS = (0.01, 0.1, 0.5, 1, 2, 5, 10, 100)
BETAS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)
STEPS = {"cpu": 10, "cuda": 300}
CLOCKS = {
    "cpu": ("processor time", time.process_time),  # which other work disturbs least
    "cuda": ("wall time", time.perf_counter),
}


def grid() -> list[TrainConfig]:
    return [
        TrainConfig(
            data="mnist",
            network="lenet5",
            epochs=1,
            lr=1e-3,  # so that no model of the grid diverges, which would cost nothing less
            defense=f"mixcon(weight={lam}, beta={beta})",
            optimizer="sgd",
            schedule="constant",
        )
        for lam in WEIGHTS
        for beta in BETAS
    ]


def one_after_another(configs: Sequence[TrainConfig], train: LabeledSet, device: str) -> None:
    """The plain loop, without what `train` writes and measures."""
    train = train.to(device)
    for config in configs:
        torch.manual_seed(config.seed)
        defense = config.defense.build()
        model = build("lenet5", train.shape, len(train.classes)).to(device)
        optimizer = torch.optim.SGD(model.parameters(), lr=config.lr)
        for x, y in train.batches(config.batch_size, torch.randperm(len(train)).to(device)):
            z = model.represent(x)
            loss = F.cross_entropy(model.head(z), y) + defense.penalty(z, x, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    if device == "cuda":
        torch.cuda.synchronize()


def run() -> Iterator[str]:
    mnist = load_data("mnist")
    for device in ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",):
        yield from compare(mnist, device)


def compare(mnist: Splits, device: str) -> Iterator[str]:
    configs = grid()
    part = Splits(mnist.train.take(slice(STEPS[device] * configs[0].batch_size)), mnist.test)
    measure, clock = CLOCKS[device]
    yield f"{device}: {len(configs)} models, {STEPS[device]} steps each, {measure}"
    seconds = alternate(
        {
            "one after another": lambda: one_after_another(configs, part.train, device),
            "as a stack": lambda: train_stacked(configs, part, device=device),
        },
        rounds=5,
        clock=clock,
    )
    yield from table(seconds, "as a stack")
