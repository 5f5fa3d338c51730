"""mixcon sweep."""

from __future__ import annotations

from typing import Annotated

import typer

from mixcon.cli import _sweep as options
from mixcon.sweep import Limits

__all__ = ["sweep"]


def sweep(
    data: options.Data = None,
    network: options.Network = None,
    out: options.Out = None,
    defense: options.Defense = None,
    lam: options.Lam = None,
    beta: options.Beta = None,
    sigma: options.Sigma = None,
    bits: options.Bits = None,
    cut: options.Cut = None,
    grid: Annotated[
        str | None,
        typer.Option(
            help="paper: the 8 x 7 values of lambda and beta of its Figure 3.",
            rich_help_panel=options.SPACE,
        ),
    ] = None,
    space: options.SpaceFile = None,
    epochs: options.Epochs = None,
    batch_size: options.BatchSize = None,
    lr: options.Lr = None,
    momentum: options.Momentum = None,
    seed: options.Seed = None,
    sampler: options.SamplerName = None,
    trials: options.Trials = None,
    attack: options.AttackNames = None,
    victims: options.Victims = None,
    seeds: options.Seeds = None,
    workers: options.Workers = None,
    ray: options.RayAddress = None,
    storage: options.Storage = None,
    data_dir: options.DataDir = None,
    accelerator: options.Accelerator = "auto",
) -> None:
    """Search for the front between accuracy and leakage.

    Trials are compared on a part of the training set, by a cheap attack; the strong attacks run
    on the front alone, and only the front meets the test set. Interrupted or killed, the same
    command goes on where it stopped.

    Example: mixcon sweep --data mnist --defense mixcon --lam 0.1,1,10 --beta 1e-4,1e-2 --out s
    """
    given = dict(locals())
    options.run(given, given.pop("out"), Limits())
