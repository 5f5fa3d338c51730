"""What a sweep searches, and how long: everything that decides its outcome."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, field_validator

from mixcon.attacks import ATTACKS, Attack
from mixcon.defenses import DefenseConfig
from mixcon.errors import ConfigError
from mixcon.sweep.judgments import STRONG
from mixcon.sweep.space import Space
from mixcon.training import TrainConfig, read_toml

__all__ = ["Limits", "Sampler", "SweepConfig", "read_sweep_config"]

Sampler: TypeAlias = Literal["grid", "random", "tpe", "nsga2"]

HOLDOUT = 0.1
"""Share of the training set that trials are compared on."""


_NO_BOUND = 1e6  # bits; finite, as samplers want it


class Limits(BaseModel):
    """What a chosen config must keep to.

    Attributes:
        max_excess: largest excess leakage over the label-only floor, 1 being an exact copy, that
            the upper end of the 95 % interval may reach.
        min_accuracy: smallest accuracy, in [0, 1].
        max_bits: most bits of maximal leakage, which are proved.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_excess: float | None = Field(default=None, ge=0, le=1)
    min_accuracy: float | None = Field(default=None, ge=0, le=1)
    max_bits: float | None = Field(default=None, gt=0)

    def violation(self, accuracy: float, upper_excess: float, bits: float | None) -> float:
        """By how much the limits are broken, 0 or less where they are kept.

        Args:
            accuracy: as measured.
            upper_excess: the upper end of the interval of the excess leakage.
            bits: of maximal leakage; None where there is no bound, which breaks any limit.
        """
        over = [] if self.max_excess is None else [upper_excess - self.max_excess]
        under = [] if self.min_accuracy is None else [self.min_accuracy - accuracy]
        unproved = _NO_BOUND if bits is None else bits
        many = [] if self.max_bits is None else [unproved - self.max_bits]
        return max([*over, *under, *many], default=0.0)


class SweepConfig(BaseModel):
    """A search over defenses of one network on one data set.

    Attributes:
        base: how every trial is trained, but for its defense and cut.
        space: which defenses are tried, and which settings vary.
        sampler: ``grid`` visits every listed combination; ``random``, ``tpe`` (tree-structured
            Parzen estimator) and ``nsga2`` (a genetic algorithm) draw from ranges and lists.
        trials: how many draws each defense gets; a grid has as many as combinations.
        attacks: names of the attacks that judge the front, beside those that search for it; all
            that fit the inputs by default.
        victims: how many images each attack is judged on.
        seeds: how many training seeds the chosen trials meet the test set with; the first one alone
            has a say in what is chosen.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    base: TrainConfig
    space: Space = Space()
    sampler: Sampler = "tpe"
    trials: int = Field(default=20, ge=1)
    attacks: tuple[str, ...] = ()
    victims: int = Field(default=100, ge=1)
    seeds: int = Field(default=1, ge=1)

    @field_validator("base")
    @classmethod
    def _selects_without_the_test_set(cls, base: TrainConfig) -> TrainConfig:
        return base if base.holdout else base.model_copy(update={"holdout": HOLDOUT})

    @property
    def vanilla(self) -> TrainConfig:
        """The undefended network, at the first of the cuts that are tried."""
        cut = str(self.space.cut.values[0]) if self.space.cut else self.base.cut
        return self.base.model_copy(update={"defense": DefenseConfig(), "cut": cut})

    @property
    def strong(self) -> Sequence[Attack[Any]]:
        """The attacks that judge the front.

        Raises:
            ConfigError: an unknown attack.
        """
        return [ATTACKS.find(name)() for name in self.attacks] or STRONG

    @property
    def further_seeds(self) -> range:
        """The training seeds after the first."""
        return range(self.base.seed + 1, self.base.seed + self.seeds)

    @property
    def budget(self) -> dict[str, int]:
        """How many trials each defense gets, the undefended network included."""
        if self.sampler != "grid":
            return {"vanilla": 1, **dict.fromkeys(self.space.templates, self.trials)}
        counts = {name: len(list(self.space.points(name))) for name in self.space.templates}
        return {"vanilla": 1, **counts}

    def check(self) -> list[TrainConfig]:
        """Refuse a search that could not be run; see `Space.check`.

        Raises:
            ConfigError: several seeds for a data set that is drawn by the seed itself.
        """
        if self.seeds > 1 and self.base.data.startswith("synthetic"):
            raise ConfigError(
                f"expected 1 seed for {self.base.data}, whose samples the seed draws too, but got "
                f"{self.seeds}"
            )
        return self.space.check(self.base, grid=self.sampler == "grid")

    def to_toml(self) -> str:
        """The config as TOML, which `read_sweep_config` takes back."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))


def read_sweep_config(path: Path) -> SweepConfig:
    """A sweep's config from a TOML file.

    Raises:
        ConfigError: no such file, not TOML, or settings that are unknown or out of range.
    """
    return read_toml(path, SweepConfig, "a sweep")
