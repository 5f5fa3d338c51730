"""The untrained model of a config, and its defense, drawn from the run's seed."""

from __future__ import annotations

from pathlib import Path

import torch

from mixcon import models
from mixcon.data import LabeledSet, Splits
from mixcon.defenses import Defense, defend
from mixcon.errors import RunError
from mixcon.split import SplitModel, check_steady
from mixcon.training.config import TrainConfig
from mixcon.training.run_folder import RunFolder, manual_seed

__all__ = ["build", "observe_range"]

_DEFENSE = 2**20  # the place in the run at which a defense draws its first weights
_SHOWN = 64  # samples that an untrained model's channel is shown


def build(
    config: TrainConfig, splits: Splits, *, started: bool = True
) -> tuple[SplitModel, Defense]:
    """The model and its defense; torch's generator is left at another place.

    The weights of the network do not depend on the defense: they are drawn before.

    Args:
        config: what to build.
        splits: its data.
        started: whether the weights of the run that it starts from are put in.

    Raises:
        ConfigError, CutError: what the config names does not exist, or does not fit the data.
        RunError: the run that it starts from is not finished, or of another network.
    """
    config.defense.check()
    manual_seed(config.seed)
    shape, classes = splits.train.shape, len(splits.train.classes)
    bare = models.build(config.network, shape, classes, config.cut)
    if config.start and started:
        _take_weights(bare, RunFolder(Path(config.start)), config)
    check_steady(bare, splits.train.floats(slice(2)))
    manual_seed(config.seed, _DEFENSE)
    return defend(bare, config.defense, splits.train.floats(slice(2)))


def _take_weights(bare: SplitModel, run: RunFolder, config: TrainConfig) -> None:
    """Those of an undefended run, which may be cut elsewhere."""
    theirs = run.config
    if theirs.network != config.network or theirs.defense.parts:
        raise RunError(
            f"{run.path}: expected an undefended run of {config.network} to start from, but got "
            f"{theirs.defense} of {theirs.network}"
        )
    found = {_without_half(name): tensor for name, tensor in run.read_model().items()}
    own = {name: found.get(_without_half(name)) for name in bare.state_dict()}
    try:
        bare.load_state_dict({name: tensor for name, tensor in own.items() if tensor is not None})
    except RuntimeError as error:
        raise RunError(f"{run.path}: expected weights of {config.network}, but {error}") from error


def _without_half(name: str) -> str:
    """The name of a weight in the network before it was cut."""
    return name.removeprefix("encoder.").removeprefix("head.")


def observe_range(model: SplitModel, labeled: LabeledSet) -> None:
    """Let the channel of an untrained model see samples: a quantizer must know its range."""
    x, _ = next(labeled.batches(_SHOWN))
    with torch.no_grad():
        z = model.eval().represent(x.to(next(model.parameters())))
        model.channel.train()(z)
