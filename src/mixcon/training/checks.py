"""What a config asks for and its data or defense cannot give: refused before work starts."""

from __future__ import annotations

from mixcon.data import Splits
from mixcon.defenses import Defense
from mixcon.errors import ConfigError
from mixcon.kinds import Kind
from mixcon.training.augment import AUGMENTATIONS
from mixcon.training.config import TrainConfig

__all__ = ["check_augment", "check_frozen", "check_learned"]


def check_augment(config: TrainConfig, splits: Splits) -> None:
    """Refuse to augment what is no image."""
    AUGMENTATIONS.find(config.augment)
    if config.augment != "none" and splits.train.kind is not Kind.IMAGE:
        raise ConfigError(
            f"expected augment to be none for samples that are no images, but got {config.augment}"
        )


def check_frozen(config: TrainConfig, defense: Defense) -> None:
    """Refuse a penalty that could move nothing."""
    if config.frozen and any(getattr(part, "on", "") == "raw" for part in defense.penalties):
        raise ConfigError(
            "expected penalties on what the channel releases, since the encoder is frozen, but "
            f"got one on the raw representation in {config.defense}; write on=z in it, behind a "
            "channel that learns, such as project or code"
        )


def check_learned(config: TrainConfig, defense: Defense) -> None:
    """Refuse to call defended what no step of training defends."""
    if not config.epochs and (defense.penalties or defense.adversaries):
        raise ConfigError(
            f"expected 1 epoch or more, for {config.defense} does nothing unless it is learned; "
            "0 leaves the network as it is"
        )
