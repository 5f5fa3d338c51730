"""Recipes: settings of training that go together. What a config does not say comes from one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mixcon.registry import Registry

__all__ = ["RECIPES", "recipe"]

RECIPES: Registry[Mapping[str, Any]] = Registry(
    "recipes",
    {
        # The fields' own defaults: what won on MNIST, Fashion-MNIST, SVHN and CIFAR-10
        # (`python -m benchmarks recipes`).
        "default": {},
        # Section 4.3 of the paper, for LeNet-5.
        "paper": {
            "optimizer": "sgd",
            "schedule": "constant",
            "lr": 0.01,
            "batch_size": 64,
            "epochs": 20,
        },
    },
)


def recipe(name: str) -> dict[str, Any]:
    """The settings of a recipe.

    Raises:
        ConfigError: an unknown name.
    """
    return dict(RECIPES.find(name))
