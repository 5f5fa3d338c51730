"""Which recipe trains best in 8 epochs: LeNet-5 on four data sets, judged on held-out samples.

The test sets have no say in the choice: each recipe is trained on 90 % of the training set and
judged on the rest. Finished trainings are kept in `runs/recipes`; the same command goes on:
`python -m benchmarks.recipes`, or one defense alone: `python -m benchmarks.recipes vanilla`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mixcon.audit import environment_of
from mixcon.training import RunFolder, TrainConfig, train

SETS = ("mnist", "fashion_mnist", "svhn", "cifar10")
DEFENSES = ("vanilla", "normalize + gaussian(sigma=0.05)")
EPOCHS = 8
RECIPES: dict[str, dict[str, Any]] = {
    "paper: sgd 0.01, constant": {"optimizer": "sgd", "schedule": "constant", "lr": 0.01},
    "sgd 0.05, momentum 0.9, one-cycle": {
        "optimizer": "sgd",
        "schedule": "one-cycle",
        "lr": 0.05,
        "momentum": 0.9,
    },
    "adam 0.001, one-cycle": {"optimizer": "adam", "schedule": "one-cycle", "lr": 1e-3},
    "adam 0.002, one-cycle": {"optimizer": "adam", "schedule": "one-cycle", "lr": 2e-3},
    "adam 0.005, one-cycle": {"optimizer": "adam", "schedule": "one-cycle", "lr": 5e-3},
    "adam 0.002, cosine": {"optimizer": "adam", "schedule": "cosine", "lr": 2e-3},
}


def run(defenses: tuple[str, ...] = DEFENSES) -> Iterator[str]:
    yield f"accuracy on held-out samples after {EPOCHS} epochs, %, LeNet-5, batch 64, seed 0"
    for defense in defenses:
        yield f"\n| {defense} | {' | '.join(SETS)} | mean |"
        yield "| :-- |" + " --: |" * (len(SETS) + 1)
        for name, settings in RECIPES.items():
            found = [_accuracy(data, defense, settings) for data in SETS]
            cells = " | ".join(f"{100 * value:.1f}" for value in (*found, sum(found) / len(found)))
            yield f"| {name} | {cells} |"


def _accuracy(data: str, defense: str, settings: dict[str, Any]) -> float:
    config = TrainConfig(
        data=data, network="lenet5", defense=defense, epochs=EPOCHS, holdout=0.1, **settings
    )
    words = [data, config.defense.name, *map(str, settings.values())]
    folder = Path("runs") / "recipes" / "-".join(words)
    train(config, folder, accelerator="cpu")
    found: float = RunFolder(folder).read_metrics()[-1]["test_accuracy"]
    return found


if __name__ == "__main__":
    where = environment_of("python -m benchmarks.recipes", seed=0)
    print(f"{where.command}\n{where.machine}, {where.versions}, {where.started}\n")
    for line in run(tuple(sys.argv[1:]) or DEFENSES):
        print(line, flush=True)
