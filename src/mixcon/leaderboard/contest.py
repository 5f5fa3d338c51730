"""The field of the leaderboard: data sets, networks, and what each defense may choose from."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from mixcon.defenses import DefenseConfig, DefenseField
from mixcon.errors import ConfigError
from mixcon.training import TrainConfig

__all__ = ["Contest", "Course", "Scale", "Setting", "contest_of"]

Scale: TypeAlias = Literal["smoke", "small", "full"]

_FILE = Path(__file__).with_name("contest.toml")


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Setting(_Record):
    """What sets a run apart from the undefended one.

    Attributes:
        defense: added to training and done to what leaves.
        cut: where the network is cut, if not where it usually is.
        label_smoothing: of the cross-entropy.
    """

    defense: DefenseField = DefenseConfig()
    cut: str | None = None
    label_smoothing: float = 0.0


class Course(_Record):
    """What all runs on one data set have in common.

    Attributes:
        network: name of the network.
        epochs: passes over the training set.
        tuning: the data on which settings are chosen, a part of the training set.
    """

    network: str
    epochs: int
    tuning: str

    def config(self, setting: Setting, data: str, seed: int, holdout: float = 0.0) -> TrainConfig:
        """The training run of a setting."""
        return TrainConfig(
            data=data,
            network=self.network,
            cut=setting.cut,
            defense=setting.defense,
            label_smoothing=setting.label_smoothing,
            epochs=self.epochs,
            seed=seed,
            holdout=holdout,
        )


class _Field(_Record):
    sets: dict[str, Course]
    defenses: dict[str, tuple[Setting, ...]]


class Contest(_Field):
    """Who competes, on what.

    Attributes:
        sets: data set to what its runs have in common.
        defenses: name to its settings, the most private one last.
        points: of accuracy on held-out samples that a setting may lose, to be taken.
        holdout: share of the training samples that is held out for that.
        networks: network, at any width, to what it has in place of or beside `defenses`.
    """

    points: float = Field(ge=0)
    holdout: float = Field(gt=0, lt=1)
    networks: dict[str, dict[str, tuple[Setting, ...]]] = {}

    def chosen(self, only: Sequence[str]) -> list[str]:
        """Its data sets, or only these.

        Raises:
            ConfigError: one of them is none of its own.
        """
        if odd := [name for name in only if name not in self.sets]:
            raise ConfigError(f"expected data sets out of {', '.join(self.sets)}, but got {odd[0]}")
        return [name for name in self.sets if name in only or not only]

    def field(self, data: str) -> dict[str, tuple[Setting, ...]]:
        """Name to settings of those that compete on a data set, the network's own first."""
        own = self.networks.get(self.sets[data].network.removesuffix("-narrow"), {})
        return {**own, **self.defenses, **own}


@cache
def contest_of(scale: Scale = "small") -> Contest:
    """The contest: for two cores, for a GPU with the paper's own networks, or only its path."""
    read = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    full, smoke = read.pop("full"), read.pop("smoke")
    if scale == "full":
        read["sets"] |= full["sets"]
    if scale == "smoke":
        read = {**read, **smoke, "networks": {}}
    return Contest.model_validate(read)
