"""mixcon tune."""

from __future__ import annotations

from typing import Annotated

import typer

from mixcon.cli import _sweep as options
from mixcon.cli._console import console
from mixcon.errors import ConfigError
from mixcon.sweep import Limits

__all__ = ["tune"]


def tune(
    max_excess: Annotated[
        float | None,
        typer.Option(
            help="Find the best accuracy with at most this excess leakage: 0 is what the label "
            "alone reveals, 1 an exact copy."
        ),
    ] = None,
    min_accuracy: Annotated[
        float | None,
        typer.Option(help="Find the least leakage with at least this accuracy, such as 0.97."),
    ] = None,
    data: options.Data = None,
    network: options.Network = None,
    out: options.Out = None,
    defense: options.Defense = None,
    lam: options.Lam = None,
    beta: options.Beta = None,
    sigma: options.Sigma = None,
    bits: options.Bits = None,
    cut: options.Cut = None,
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
    """Find the best config within a limit, and write it for mixcon train --config.

    Searches as mixcon sweep does; on the folder of a sweep it chooses among its trials. Ends with
    code 1 if no trial keeps to the limit.

    Example: mixcon tune --max-excess 0.2 --data mnist --defense mixcon,normalize+gaussian --out s
    """
    given = dict(locals())
    limits = Limits(**{name: given.pop(name) for name in Limits.model_fields})
    if limits == Limits():
        raise ConfigError("expected --max-excess or --min-accuracy, such as --max-excess 0.2")
    if not options.run(given, given.pop("out"), limits):
        console.print("Nothing was chosen: loosen the limit, or raise --trials.")
        raise typer.Exit(1)
