"""The untrained model of a config, and its defense, drawn from the run's seed."""

from __future__ import annotations

import torch

from mixcon import models
from mixcon.data import LabeledSet, Splits
from mixcon.defenses import Defense
from mixcon.split import Sizes, SplitModel, check_steady
from mixcon.training.config import TrainConfig
from mixcon.training.run_folder import manual_seed

__all__ = ["build", "observe_range"]

_DEFENSE = 2**20  # the place in the run at which a defense draws its first weights
_SHOWN = 64  # samples that an untrained model's channel is shown


def build(config: TrainConfig, splits: Splits) -> tuple[SplitModel, Defense]:
    """The model and its defense; torch's generator is left at another place.

    The weights of the network do not depend on the defense: they are drawn before.

    Raises:
        ConfigError, CutError: what the config names does not exist, or does not fit the data.
    """
    config.defense.check()
    manual_seed(config.seed)
    shape, classes = splits.train.shape, len(splits.train.classes)
    bare = models.build(config.network, shape, classes, config.cut)
    check_steady(bare, splits.train.floats(slice(2)))
    sizes = Sizes(shape, _representation(bare, splits.train), classes)
    manual_seed(config.seed, _DEFENSE)
    defense = config.defense.build(sizes)
    model = SplitModel(bare.encoder, defense.behind(bare.head), defense.channel)
    return model.train(), defense


def observe_range(model: SplitModel, labeled: LabeledSet) -> None:
    """Let the channel of an untrained model see samples: a quantizer must know its range."""
    x, _ = next(labeled.batches(_SHOWN))
    with torch.no_grad():
        z = model.eval().represent(x.to(next(model.parameters())))
        model.channel.train()(z)


def _representation(model: SplitModel, labeled: LabeledSet) -> tuple[int, ...]:
    with torch.no_grad():
        raw = model.eval().represent(labeled.floats(slice(2)))
    return tuple(raw.shape[1:])
